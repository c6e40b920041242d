/* liblo as a peer. Messages are written as the hex digits of their bytes, in both directions.
 *
 *     liblo_peer serve SCHEME [PATH]     prints what its server hears; answers /ping with /pong
 *     liblo_peer send URL [slip]         sends what standard input says: a message, or a bundle as
 *                                        `#bundle TIMETAG ... #end`; `#receive` prints an answer
 */
#include <lo/lo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST (1 << 19)
#define DEEPEST 8

static lo_server server;
static int heard;

static void complain(int number, const char *what, const char *where) {
    printf("#error %d %s %s\n", number, what, where ? where : "");
    fflush(stdout);
}

static int hear(const char *path, const char *types, lo_arg **args, int count, lo_message message, void *data) {
    size_t size = 0;
    unsigned char *bytes = lo_message_serialise(message, path, NULL, &size);
    for (size_t at = 0; at < size; at++) printf("%02x", bytes[at]);
    putchar('\n');
    fflush(stdout);
    free(bytes);
    heard = 1;
    if (!strcmp(path, "/ping")) lo_send_message_from(lo_message_get_source(message), server, "/pong", message);
    return 0;
}

static int serve(const char *scheme, const char *path) {
    int protocol = !strcmp(scheme, "osc.tcp") ? LO_TCP : !strcmp(scheme, "osc.unix") ? LO_UNIX : LO_UDP;
    server = lo_server_new_with_proto(path, protocol, complain);
    if (!server) return 1;
    lo_server_add_method(server, NULL, NULL, hear, NULL);
    printf("#ready %d\n", protocol == LO_UNIX ? 1 : lo_server_get_port(server));
    fflush(stdout);
    for (;;) lo_server_recv(server);
}

/* The message that hex digits give; its bytes begin with its address. */
static lo_message read_message(const char *digits, char *bytes) {
    size_t size = strlen(digits) / 2;
    unsigned value;
    for (size_t at = 0; at < size && sscanf(digits + 2 * at, "%2x", &value) == 1; at++) bytes[at] = (char)value;
    return lo_message_deserialise(bytes, size, NULL);
}

/* Sends `MESSAGE`, or `#bundle TIMETAG`, its elements and `#end`. */
static int send_words(lo_address peer, char *line) {
    lo_bundle open[DEEPEST];
    int depth = 0;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        if (!strcmp(word, "#bundle")) {
            if (depth == DEEPEST) return -1;
            unsigned long long bits = strtoull(strtok(NULL, " "), NULL, 16);
            lo_timetag tag = {(uint32_t)(bits >> 32), (uint32_t)bits};
            open[depth++] = lo_bundle_new(tag);
        } else if (!strcmp(word, "#end")) {
            if (--depth == 0) return lo_send_bundle_from(peer, server, open[0]);
            lo_bundle_add_bundle(open[depth - 1], open[depth]);
        } else {
            char *address = malloc(strlen(word));
            lo_message message = read_message(word, address);
            if (!message) return -1;
            if (depth == 0) return lo_send_message_from(peer, server, address, message);
            lo_bundle_add_message(open[depth - 1], address, message);
        }
    }
    return -1;
}

static int send_lines(const char *url, int slip) {
    static char line[LONGEST];
    lo_address peer = lo_address_new_from_url(url);
    int protocol = lo_address_get_protocol(peer);
    /* Answers come back to it. A Unix socket would need a path of its own. */
    if (protocol != LO_UNIX) {
        server = lo_server_new_with_proto(NULL, protocol, complain);
        lo_server_add_method(server, NULL, NULL, hear, NULL);
    }
    lo_address_set_tcp_nodelay(peer, 1);
    if (slip) lo_address_set_stream_slip(peer, 1);
    printf("#ready 0\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (!strcmp(line, "#receive")) {
            for (heard = 0; !heard;) lo_server_recv(server);
            continue;
        }
        puts(send_words(peer, line) < 0 ? "#refused by liblo" : "#sent");
        fflush(stdout);
    }
    return 0;
}

int main(int count, char **words) {
    if (count < 3) return 2;
    if (!strcmp(words[1], "serve")) return serve(words[2], count > 3 ? words[3] : NULL);
    return send_lines(words[2], count > 3);
}
