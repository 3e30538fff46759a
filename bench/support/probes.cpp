#include "probes.hpp"

#include <algorithm>
#include <ctime>
#include <stdexcept>
#include <vector>

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <crypto/keccak.hpp>
#include <crypto/secp256k1.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "paired.hpp"

namespace ethnet::bench {
namespace {

std::uint64_t read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

template <class Work>
double best(std::uint64_t (*clock)(), int rounds, std::size_t items, Work work) {
  double out = 1e18;
  for (int i = 0; i < rounds; ++i) {
    const std::uint64_t start = clock();
    work();
    out = std::min(out, static_cast<double>(clock() - start) / static_cast<double>(items));
  }
  return out;
}

// A message that is one block when padded: all that is done besides the permutation is small.
void probe_keccak(Probes& out) {
  const Bytes message(crypto::kKeccakRate - 1);
  out.permutation_ns = best(cpu_ns, 400, 64, [&] {
    for (int i = 0; i < 64; ++i) {
      auto digest = crypto::keccak256(message);
      benchmark::DoNotOptimize(digest);
    }
  });
  // Long ones, so that what is done once a message vanishes.
  constexpr std::size_t kBlocks = 64;
  const Bytes longer(kBlocks * crypto::kKeccakRate - 1);
  const std::vector<ByteView> lanes(8, ByteView{longer});
  std::vector<crypto::Digest32> digests(8);
  out.lane_permutation_ns = best(cpu_ns, 400, 8 * kBlocks, [&] {
    crypto::keccak256_many(lanes, digests);
    benchmark::ClobberMemory();
  });
}

void probe_verify(Probes& out) {
  const auto key = crypto::SecretKey::from_bytes(Bytes(32, std::byte{1})).value();
  const auto hash = crypto::keccak256({});
  const auto signature = crypto::sign_compact(key, hash);
  const auto public_key = key.public_key();
  out.verify_ns = best(cpu_ns, 100, 10, [&] {
    for (int i = 0; i < 10; ++i) {
      auto right = crypto::verify(public_key, signature, hash);
      benchmark::DoNotOptimize(right);
    }
  });
}

class UdpPair {
 public:
  UdpPair() : sender_{socket(AF_INET, SOCK_DGRAM, 0)}, receiver_{socket(AF_INET, SOCK_DGRAM, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const int room = 4 << 20;
    setsockopt(receiver_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(receiver_, generic, size) != 0 || getsockname(receiver_, generic, &size) != 0 ||
        connect(sender_, generic, size) != 0) {
      throw std::runtime_error("no UDP over loopback");
    }
  }
  ~UdpPair() {
    close(sender_);
    close(receiver_);
  }
  UdpPair(const UdpPair&) = delete;
  UdpPair& operator=(const UdpPair&) = delete;

  [[nodiscard]] bool segment_by(int size) const {
    return setsockopt(sender_, SOL_UDP, UDP_SEGMENT, &size, sizeof size) == 0;
  }
  [[nodiscard]] bool send_once(const Bytes& data) const {
    return send(sender_, data.data(), data.size(), 0) == static_cast<ssize_t>(data.size());
  }
  void receive_all() const {
    Bytes buffer(65536);
    while (recv(receiver_, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
    }
  }

 private:
  int sender_;
  int receiver_;
};

void probe_udp(Probes& out) {
  constexpr std::size_t kSize = 1200;
  constexpr std::size_t kBurst = 32;
  const UdpPair pair;
  const Bytes one(kSize);
  out.udp_ns = best(cpu_ns, 300, kBurst, [&] {
    for (std::size_t i = 0; i < kBurst; ++i) (void)pair.send_once(one);
    pair.receive_all();
  });
  const Bytes burst(kSize * kBurst);
  if (!pair.segment_by(kSize) || !pair.send_once(burst)) return;
  pair.receive_all();
  out.udp_gso_ns = best(cpu_ns, 300, kBurst, [&] {
    (void)pair.send_once(burst);
    pair.receive_all();
  });
}

void probe_sync(Probes& out, const std::string& directory) {
  const std::string path = directory + "/ethnet-core-probe";
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error("cannot write in " + directory);
  const Bytes data(600'000);
  std::vector<double> times;
  for (int i = 0; i < 40; ++i) {
    const std::uint64_t start = wall_ns();
    const bool written = write(file, data.data(), data.size()) == static_cast<ssize_t>(data.size());
    if (!written || fdatasync(file) != 0) throw std::runtime_error("cannot write in " + directory);
    times.push_back(static_cast<double>(wall_ns() - start));
  }
  close(file);
  unlink(path.c_str());
  out.sync_ns = median(times);
}

}  // namespace

std::uint64_t cpu_ns() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
std::uint64_t wall_ns() { return read_clock(CLOCK_MONOTONIC); }

Probes measure_probes(const std::string& directory) {
  Probes out;
  probe_keccak(out);
  probe_verify(out);
  probe_udp(out);
  probe_sync(out, directory);
  return out;
}

}  // namespace ethnet::bench
