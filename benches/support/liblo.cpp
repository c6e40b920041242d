// Decodes the packets of its arguments (hexadecimal) with liblo: parses, reads every argument, frees.
// A line "decode CASE TIMES" on stdin is answered with the nanoseconds of one decode.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <lo/lo.h>
#include <string>
#include <vector>

static volatile long sink;

static void read_message(void *data, size_t size) {
    int result = 0;
    lo_message message = lo_message_deserialise(data, size, &result);
    if (!message) return;
    const char *types = lo_message_get_types(message);
    lo_arg **args = lo_message_get_argv(message);
    int count = lo_message_get_argc(message);
    long sum = 0;
    for (int i = 0; i < count; i++) {
        switch (types[i]) {
            case 'i': sum += args[i]->i; break;
            case 'f': sum += (long)args[i]->f; break;
            case 's': sum += (&args[i]->s)[0]; break;
            case 'b': sum += lo_blob_datasize((lo_blob)args[i]); break;
        }
    }
    sink = sink + sum;
    lo_message_free(message);
}

static void read_packet(uint8_t *data, size_t size) {
    if (data[0] != '#') return read_message(data, size);
    size_t at = 16;
    while (at + 4 <= size) {
        size_t len = (size_t)data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3];
        read_packet(data + at + 4, len);
        at += 4 + len;
    }
}

int main(int argc, char **argv) {
    std::vector<std::vector<uint8_t>> packets;
    for (int i = 1; i < argc; i++) {
        std::vector<uint8_t> bytes;
        for (size_t at = 0; at + 1 < strlen(argv[i]); at += 2)
            bytes.push_back((uint8_t)std::stoi(std::string(argv[i] + at, 2), nullptr, 16));
        packets.push_back(bytes);
    }
    unsigned which, times;
    while (scanf(" decode %u %u", &which, &times) == 2) {
        std::vector<uint8_t> copy = packets.at(which);
        auto start = std::chrono::steady_clock::now();
        for (unsigned i = 0; i < times; i++) {
            memcpy(copy.data(), packets[which].data(), copy.size());
            read_packet(copy.data(), copy.size());
        }
        std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
        printf("%f\n", spent.count() / times);
        fflush(stdout);
    }
}
