/* liblo: prints what it reads from each packet of standard input, as canonical lines.
 *
 * Reads lines of hexadecimal digits, and ends each answer with `#done`, `#refused`, or, of a child
 * that was ended, `#hangs` or `#crashes`. Text is written as hexadecimal digits, too.
 */
#include <lo/lo.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGEST = 1 << 16, CPU_MICROSECONDS_PER_PACKET = 300000 };

static int refused;

static void on_error(int number, const char *text, const char *path) {
    (void)number, (void)text, (void)path;
    refused = 1;
}

static void hex(const void *bytes, size_t count) {
    for (size_t at = 0; at < count; at++) printf("%02x", ((const uint8_t *)bytes)[at]);
}

static void text(const char *characters) {
    printf("x\"");
    hex(characters, strlen(characters));
    putchar('"');
}

static void value(char tag, lo_arg *arg) {
    switch (tag) {
        case 'i': printf(" %d", arg->i); break;
        case 'h': printf(" %lld", (long long)arg->h); break;
        case 'f': isnan(arg->f) ? printf(" nan:%08x", (uint32_t)arg->i) : printf(" %.9g", arg->f); break;
        case 'd':
            isnan(arg->d) ? printf(" nan:%016llx", (long long)arg->h) : printf(" %.17g", arg->d);
            break;
        case 's':
        case 'S': putchar(' '), text(&arg->s); break;
        case 'b':
            printf(" <");
            hex(lo_blob_dataptr((lo_blob)arg), lo_blob_datasize((lo_blob)arg));
            putchar('>');
            break;
        case 't': printf(" 0x%08x%08x", arg->t.sec, arg->t.frac); break;
        case 'c': printf(" c:%08x", arg->c); break;
        case 'm': printf(" m:"), hex(arg->m, 4); break;
        case 'T': printf(" true"); break;
        case 'F': printf(" false"); break;
        case 'N': printf(" nil"); break;
        case 'I': printf(" impulse"); break;
        default: printf(" ?");
    }
}

static int on_message(const char *path, const char *types, lo_arg **args, int count, lo_message message,
                      void *data) {
    (void)message, (void)data;
    text(path);
    printf(" ,%s", types);
    for (int at = 0; at < count; at++) value(types[at], args[at]);
    putchar('\n');
    return 0;
}

static int on_bundle(lo_timetag time, void *data) {
    (void)data;
    printf("#bundle 0x%08x%08x\n", time.sec, time.frac);
    return 0;
}

static int on_bundle_end(void *data) {
    (void)data;
    puts("#end");
    return 0;
}

static void decode(lo_server server, uint8_t *packet, size_t size) {
    struct itimerval limit = {.it_value = {.tv_usec = CPU_MICROSECONDS_PER_PACKET}};
    setitimer(ITIMER_VIRTUAL, &limit, NULL);
    if (lo_server_dispatch_data(server, packet, size) < 0) refused = 1;
    puts(refused ? "#refused" : "#done");
}

int main(void) {
    static char digits[2 * LARGEST + 2], output[64 * LARGEST];
    setvbuf(stdout, output, _IOFBF, sizeof output);
    lo_server server = lo_server_new(NULL, on_error);
    lo_server_enable_queue(server, 0, 0);
    lo_server_add_bundle_handlers(server, on_bundle, on_bundle_end, NULL);
    lo_server_add_method(server, NULL, NULL, on_message, NULL);

    while (fgets(digits, sizeof digits, stdin)) {
        size_t size = strcspn(digits, "\n") / 2;
        /* Its own allocation, of the exact size: reading past the end may be seen. */
        uint8_t *packet = malloc(size ? size : 1);
        for (size_t at = 0; at < size; at++) sscanf(digits + 2 * at, "%2hhx", packet + at);
        pid_t child = fork();
        if (child == 0) {
            decode(server, packet, size);
            fflush(stdout);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) puts(WTERMSIG(status) == SIGVTALRM ? "#hangs" : "#crashes");
        fflush(stdout);
        free(packet);
    }
    lo_server_free(server);
    return 0;
}
