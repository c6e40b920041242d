// oscpack: a line "decode CASE TIMES" or "encode CASE TIMES" on stdin is answered with the nanoseconds
// of one. Decodes the packets of its arguments (hexadecimal): parses, reads every argument. Encodes the
// same cases from its own values, into a buffer that is used again.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <oscpack/osc/OscOutboundPacketStream.h>
#include <oscpack/osc/OscReceivedElements.h>
#include <string>
#include <vector>

static volatile long sink;

static void read_message(const osc::ReceivedMessage &message) {
    long sum = 0;
    for (auto arg = message.ArgumentsBegin(); arg != message.ArgumentsEnd(); ++arg) {
        switch (arg->TypeTag()) {
            case 'i': sum += arg->AsInt32Unchecked(); break;
            case 'f': sum += (long)arg->AsFloatUnchecked(); break;
            case 's': sum += arg->AsStringUnchecked()[0]; break;
            case 'b': {
                const void *data;
                osc::osc_bundle_element_size_t size;
                arg->AsBlobUnchecked(data, size);
                sum += size;
            }
        }
    }
    sink = sink + sum;
}

static void read_bundle(const osc::ReceivedBundle &bundle) {
    for (auto element = bundle.ElementsBegin(); element != bundle.ElementsEnd(); ++element) {
        if (element->IsBundle())
            read_bundle(osc::ReceivedBundle(*element));
        else
            read_message(osc::ReceivedMessage(*element));
    }
}

static void read_packet(const std::vector<char> &bytes) {
    osc::ReceivedPacket packet(bytes.data(), (osc::osc_bundle_element_size_t)bytes.size());
    if (packet.IsBundle())
        read_bundle(osc::ReceivedBundle(packet));
    else
        read_message(osc::ReceivedMessage(packet));
}

static char blob[1024];

static void write_packet(unsigned which, osc::OutboundPacketStream &to) {
    const osc::MessageTerminator end = osc::EndMessage;
    switch (which) {
        case 0: to << osc::BeginMessage("/synth/1/freq") << 440.0f << end; break;
        case 1:
            to << osc::BeginMessage("/mixed/values") << (osc::int32)1 << "eight ch" << 0.5f
               << osc::Blob(blob, 16) << end;
            break;
        case 2:
            to << osc::BeginMessage("/wavetable");
            for (int i = 0; i < 64; i++) to << 0.5f;
            to << end;
            break;
        case 3: to << osc::BeginMessage("/chunk") << osc::Blob(blob, 1024) << end; break;
        case 4: {
            char address[] = "/synth/0/set";
            to << osc::BeginBundleImmediate;
            for (int i = 0; i < 16; i++) {
                address[7] = "0123456789abcdef"[i];
                to << osc::BeginMessage(address) << (osc::int32)1 << 0.5f << "saw" << end;
            }
            to << osc::EndBundle;
            break;
        }
        case 5:
            to << osc::BeginBundleImmediate << osc::BeginBundleImmediate << osc::BeginBundleImmediate
               << osc::BeginMessage("/inner/freq") << 440.0f << end << osc::BeginMessage("/inner/gate")
               << 1.0f << end << osc::EndBundle << osc::EndBundle << osc::EndBundle;
            break;
        default:
            to << osc::BeginMessage("/s_new") << "default" << (osc::int32)1001 << (osc::int32)0
               << (osc::int32)1 << "freq" << 440.0f << "amp" << 0.5f << end;
    }
}

int main(int argc, char **argv) {
    memset(blob, 7, sizeof blob);
    std::vector<std::vector<char>> packets;
    for (int i = 1; i < argc; i++) {
        std::vector<char> bytes;
        for (size_t at = 0; at + 1 < strlen(argv[i]); at += 2)
            bytes.push_back((char)std::stoi(std::string(argv[i] + at, 2), nullptr, 16));
        packets.push_back(bytes);
    }
    static char buffer[4096];
    for (unsigned i = 0; i < packets.size(); i++) {
        osc::OutboundPacketStream to(buffer, sizeof buffer);
        write_packet(i, to);
        if (to.Size() != packets[i].size() || memcmp(to.Data(), packets[i].data(), to.Size()) != 0) return 1;
    }
    char work[8];
    unsigned which, times;
    while (scanf("%7s %u %u", work, &which, &times) == 3) {
        const std::vector<char> &packet = packets.at(which);
        auto start = std::chrono::steady_clock::now();
        for (unsigned i = 0; i < times; i++) {
            if (work[0] == 'd') {
                read_packet(packet);
                continue;
            }
            osc::OutboundPacketStream to(buffer, sizeof buffer);
            write_packet(which, to);
            sink = sink + (long)to.Size();
        }
        std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
        printf("%f\n", spent.count() / times);
        fflush(stdout);
    }
}
