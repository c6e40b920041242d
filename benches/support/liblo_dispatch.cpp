// liblo: a line with an address on stdin adds a method. A line "dispatch TIMES" is answered with the
// nanoseconds of one message, decoded and dispatched; they go to ten of the addresses in turn.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <lo/lo.h>
#include <string>
#include <vector>

static volatile long calls;

static int on_message(const char *, const char *, lo_arg **, int, lo_message, void *) {
    calls = calls + 1;
    return 0;
}

static std::vector<char> message_to(const std::string &address) {
    lo_message message = lo_message_new();
    std::vector<char> bytes(lo_message_length(message, address.c_str()));
    lo_message_serialise(message, address.c_str(), bytes.data(), nullptr);
    lo_message_free(message);
    return bytes;
}

static double dispatch(lo_server server, const std::vector<std::string> &addresses, unsigned times) {
    std::vector<std::vector<char>> messages;
    size_t step = std::max<size_t>(addresses.size() / 10, 1);
    for (size_t i = 0; i < addresses.size(); i += step) messages.push_back(message_to(addresses[i]));
    std::vector<char> copy(256);
    auto start = std::chrono::steady_clock::now();
    for (unsigned i = 0; i < times; i++) {
        const std::vector<char> &message = messages[i % messages.size()];
        memcpy(copy.data(), message.data(), message.size());
        lo_server_dispatch_data(server, copy.data(), message.size());
    }
    std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    return spent.count() / times;
}

int main() {
    lo_server server = lo_server_new(nullptr, nullptr);
    std::vector<std::string> addresses;
    for (std::string line; std::getline(std::cin, line);) {
        if (line[0] == '/') {
            addresses.push_back(line);
            lo_server_add_method(server, line.c_str(), nullptr, on_message, nullptr);
            continue;
        }
        unsigned times = (unsigned)std::stoul(line.substr(line.find(' ')));
        long before = calls;
        double nanoseconds = dispatch(server, addresses, times);
        if (calls - before != (long)times) return 1;
        std::cout << nanoseconds << std::endl;
    }
    lo_server_free(server);
}
