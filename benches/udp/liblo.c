/* liblo as a peer of benches/udp.rs: prints its port, then obeys `receive N` and `ping N`. */
#include <lo/lo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { METHODS = 100, BUFFER = 4 << 20, MAX_PINGS = 100000 };
static volatile int handled;
static volatile float sum;

static int handle(const char *path, const char *types, lo_arg **argv, int argc, lo_message m, void *data) {
    sum += argv[0]->f + argv[1]->f;
    __atomic_fetch_add(&handled, 1, __ATOMIC_RELEASE);
    return 0;
}

static int echo(const char *path, const char *types, lo_arg **argv, int argc, lo_message m, void *data) {
    lo_send_from(lo_message_get_source(m), (lo_server)data, LO_TT_IMMEDIATE, "/pong", "ff", argv[0]->f, argv[1]->f);
    return 0;
}

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static void add_methods(lo_server server) {
    char path[64];
    for (int i = 0; i < METHODS; i++) {
        snprintf(path, sizeof path, "/synth/%02d/frequency", i);
        lo_server_add_method(server, path, "ff", handle, NULL);
    }
}

static int by_value(const void *a, const void *b) {
    double d = *(const double *)a - *(const double *)b;
    return d < 0 ? -1 : d > 0;
}

static double ping(int n) {
    static double times[MAX_PINGS];
    char port[16];
    lo_server_thread thread = lo_server_thread_new(NULL, NULL);
    lo_server server = lo_server_thread_get_server(thread);
    lo_server_add_method(server, "/ping", "ff", echo, server);
    lo_server_thread_start(thread);
    snprintf(port, sizeof port, "%d", lo_server_get_port(server));
    lo_address to = lo_address_new("127.0.0.1", port);
    lo_server own = lo_server_new(NULL, NULL);
    lo_server_add_method(own, "/pong", "ff", handle, NULL);
    for (int i = 0; i < n; i++) {
        double begin = now(CLOCK_MONOTONIC);
        lo_send_from(to, own, LO_TT_IMMEDIATE, "/ping", "ff", 440.0, 0.5);
        lo_server_recv(own);
        times[i] = now(CLOCK_MONOTONIC) - begin;
    }
    lo_server_free(own);
    lo_address_free(to);
    lo_server_thread_stop(thread);
    lo_server_thread_free(thread);
    qsort(times, n, sizeof *times, by_value);
    return times[n / 2];
}

int main(void) {
    char command[16];
    int n, size = BUFFER;
    lo_server_thread thread = lo_server_thread_new(NULL, NULL);
    lo_server server = lo_server_thread_get_server(thread);
    setsockopt(lo_server_get_socket_fd(server), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    add_methods(server);
    printf("%d\n", lo_server_get_port(server));
    fflush(stdout);
    while (scanf("%15s %d", command, &n) == 2) {
        if (!strcmp(command, "ping")) {
            printf("%f\n", ping(n > MAX_PINGS ? MAX_PINGS : n));
        } else {
            struct timespec pause = {0, 100000};
            handled = 0;
            double begin = now(CLOCK_PROCESS_CPUTIME_ID);
            lo_server_thread_start(thread);
            while (__atomic_load_n(&handled, __ATOMIC_ACQUIRE) < n) nanosleep(&pause, NULL);
            printf("%f\n", now(CLOCK_PROCESS_CPUTIME_ID) - begin);
            lo_server_thread_stop(thread);
        }
        fflush(stdout);
    }
    return 0;
}
