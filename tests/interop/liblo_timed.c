/* liblo: sends a bundle of two messages that is due in a number of milliseconds.
 *
 *     liblo_timed HOST PORT MILLISECONDS
 */
#include <lo/lo.h>
#include <stdint.h>
#include <stdlib.h>

int main(int count, char **words) {
    if (count != 4) return 2;
    lo_address peer = lo_address_new(words[1], words[2]);
    uint32_t ahead = (uint32_t)atoi(words[3]);

    lo_timetag due;
    lo_timetag_now(&due);
    uint64_t bits = ((uint64_t)due.sec << 32 | due.frac) + ((uint64_t)ahead << 32) / 1000;
    due.sec = (uint32_t)(bits >> 32);
    due.frac = (uint32_t)bits;

    lo_bundle bundle = lo_bundle_new(due);
    for (int step = 1; step <= 2; step++) {
        lo_message message = lo_message_new();
        lo_message_add_int32(message, step);
        lo_bundle_add_message(bundle, "/timed", message);
    }
    return lo_send_bundle(peer, bundle) < 0;
}
