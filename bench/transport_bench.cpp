// QUIC and sessions beside the ngtcp2 example server and client of Debian (gtlsserver, gtlsclient),
// which use the same two libraries as we do. Prints rows for docs/PERFORMANCE.md.
//
//   transport_bench [--pairs N] [FILTER]
//
// Two-process rows run server and client on a core each; blocks alternate A B B A. Where a peer's
// program is not on PATH its rows say so. The roles of a child are in transport/roles.hpp.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "support/child.hpp"
#include "support/paired.hpp"
#include "transport/in_memory.hpp"
#include "transport/roles.hpp"

namespace ethnet::bench {
namespace {

constexpr int kServerCore = 0;
constexpr int kClientCore = 1;
constexpr std::size_t kResamples = 2000;

struct Arguments {
  std::size_t pairs = 15;
  std::string filter;
};

// What the rows of one run share: a folder that goes when they are done, and the peers found.
class Bench {
 public:
  explicit Bench(Arguments arguments)
      : arguments_{std::move(arguments)},
        folder_{std::filesystem::temp_directory_path() /
                fmt::format("ethnet-bench-{}", ::getpid())},
        server_{find_program("gtlsserver")},
        client_{find_program("gtlsclient")} {
    std::filesystem::create_directory(folder_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() { std::filesystem::remove_all(folder_); }

  void run();

 private:
  struct OurServer {
    Child child;
    std::uint16_t port;
  };
  [[nodiscard]] static OurServer start_ours(std::vector<std::string> role) {
    Child child = Child::self(std::move(role), kServerCore);
    const auto port = static_cast<std::uint16_t>(child.number("port "));
    return {std::move(child), port};
  }
  [[nodiscard]] bool have_peer() const { return server_ && client_ && make_certificate(); }
  [[nodiscard]] bool make_certificate() const;
  [[nodiscard]] OurServer start_theirs() const;
  [[nodiscard]] bool wants(std::string_view name) const {
    return name.find(arguments_.filter) != std::string_view::npos;
  }

  void bulk();
  void server_handshakes();
  void session_handshakes() const;
  void envelopes_in_memory() const;
  void envelopes_over_loopback() const;
  void memory();
  void latency_under_flood() const;

  Arguments arguments_;
  std::filesystem::path folder_;
  std::optional<std::string> server_;
  std::optional<std::string> client_;
};

void print_absent(const std::string& what, const std::string& ours) {
  fmt::print("| {} | {} | peer absent | | | | |\n", what, ours);
  std::fflush(stdout);
}

void print_alone(const std::string& what, const std::string& ours) {
  fmt::print("| {} | {} | | | | | |\n", what, ours);
  std::fflush(stdout);
}

// `show` says a figure with its unit; the ratio is how many times better ours is.
void print_pair(const std::string& what, const Comparison& c, double goal,
                const std::function<std::string(double)>& show) {
  fmt::print("| {} | {} | gtlsserver | {} | {:.2f}x ({:.2f}–{:.2f}) | {} | {} |\n", what,
             show(c.ours_ns), show(c.theirs_ns), c.ratio, c.low, c.high,
             goal > 0 ? fmt::format("{:.2f}x", goal) : "", goal > 0 ? text(judge(c, goal)) : "");
  std::fflush(stdout);
}

// Both sides by turns, A B B A: `one` is asked for ours (true) or theirs.
void alternate(std::size_t pairs, const std::function<void(bool ours)>& one) {
  for (std::size_t i = 0; i < pairs; ++i) {
    one(i % 2 == 0);
    one(i % 2 != 0);
  }
}

bool Bench::make_certificate() const {
  if (std::filesystem::exists(folder_ / "key.pem")) return true;
  if (!find_program("openssl")) return false;
  Child made{{"openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj",
              "/CN=localhost", "-keyout", (folder_ / "key.pem").string(), "-out",
              (folder_ / "cert.pem").string()},
             kClientCore};
  made.wait();
  return true;
}

Bench::OurServer Bench::start_theirs() const {
  const std::uint16_t port = free_udp_port();
  Child child{{server_.value(), "-q", "--no-quic-dump", "--no-http-dump", "-d", folder_.string(),
               "127.0.0.1", std::to_string(port), (folder_ / "key.pem").string(),
               (folder_ / "cert.pem").string()},
              kServerCore};
  wait_for_udp_port(port);
  return {std::move(child), port};
}

struct BulkBlock {
  double wall_ns = 0;
  double server_ns = 0;  // CPU
  double client_ns = 0;  // CPU, its start included
};

BulkBlock fetch_once(const Child& server, Child client, std::uint64_t mib) {
  const std::uint64_t server_before = server.cpu_ns();
  const Clock clock = steady_clock();
  const std::uint64_t start = clock();
  const std::uint64_t client_cpu = client.wait();
  const auto per = [&](std::uint64_t ns) {
    return static_cast<double>(ns) / static_cast<double>(mib);
  };
  return {per(clock() - start), per(server.cpu_ns() - server_before), per(client_cpu)};
}

void Bench::bulk() {
  constexpr std::uint64_t kMib = 256;
  const OurServer ours = start_ours({"serve", "ethnet/1"});
  const auto fetch_ours = [&] {
    return fetch_once(
        ours.child,
        Child::self({"fetch", std::to_string(ours.port), std::to_string(kMib)}, kClientCore), kMib);
  };
  const auto rate = [](double ns_per_mib) { return fmt::format("{:.0f} MiB/s", 1e9 / ns_per_mib); };
  const std::string what = fmt::format("QUIC, {} MiB over loopback, one stream", kMib);
  if (!have_peer()) {
    std::vector<double> walls;
    for (std::size_t i = 0; i < arguments_.pairs; ++i) walls.push_back(fetch_ours().wall_ns);
    print_absent(what, rate(median(walls)));
    return;
  }
  std::ofstream{folder_ / "file"} << "";
  std::filesystem::resize_file(folder_ / "file", kMib << 20);
  const OurServer theirs = start_theirs();
  const auto fetch_theirs = [&] {
    return fetch_once(
        theirs.child,
        Child{{client_.value(), "-q", "--no-quic-dump", "--no-http-dump",
               "--exit-on-all-streams-close", "--max-window=64M", "--max-stream-window=64M",
               "--max-data=64M", "--max-stream-data-bidi-local=64M", "127.0.0.1",
               std::to_string(theirs.port), "https://localhost/file"},
              kClientCore},
        kMib);
  };
  std::array<std::vector<double>, 2> walls;
  std::array<std::vector<double>, 2> servers;
  std::array<std::vector<double>, 2> clients;
  alternate(arguments_.pairs + 1, [&](bool is_ours) {
    const BulkBlock block = is_ours ? fetch_ours() : fetch_theirs();
    const std::size_t side = is_ours ? 0 : 1;
    walls[side].push_back(block.wall_ns);
    servers[side].push_back(block.server_ns);
    clients[side].push_back(block.client_ns);
  });
  const auto cpu = [](double ns_per_mib) {
    return fmt::format("{:.2f} s/GiB", ns_per_mib * 1024 / 1e9);
  };
  print_pair(what, compare_values(walls[0], walls[1], kResamples), 0.95, rate);
  print_pair("the same: CPU of the server", compare_values(servers[0], servers[1], kResamples), 0,
             cpu);
  print_pair("the same: CPU of the client, its start included",
             compare_values(clients[0], clients[1], kResamples), 0, cpu);
}

std::string per_second(double ns) { return fmt::format("{:.0f} /s", 1e9 / ns); }

void Bench::server_handshakes() {
  constexpr std::size_t kCount = 60;
  const OurServer ours = start_ours({"serve", "h3"});
  const auto once = [&](const OurServer& server) {
    const std::uint64_t before = server.child.cpu_ns();
    Child::self({"dial", std::to_string(server.port), std::to_string(kCount), "h3"}, kClientCore)
        .wait();
    return static_cast<double>(server.child.cpu_ns() - before) / kCount;
  };
  const std::string what = "QUIC handshakes per CPU-second of the server, the same client";
  std::array<std::vector<double>, 2> values;
  if (!have_peer()) {
    for (std::size_t i = 0; i < arguments_.pairs; ++i) values[0].push_back(once(ours));
    print_absent(what, per_second(median(values[0])));
    return;
  }
  const OurServer theirs = start_theirs();
  alternate(arguments_.pairs + 1, [&](bool is_ours) {
    values[is_ours ? 0 : 1].push_back(once(is_ours ? ours : theirs));
  });
  print_pair(what, compare_values(values[0], values[1], kResamples), 0, per_second);
}

void Bench::session_handshakes() const {
  InMemory stacks;
  stacks.shake_hands();
  std::vector<double> both;
  std::vector<double> acceptor;
  for (std::size_t i = 0; i < arguments_.pairs; ++i) {
    constexpr std::size_t kCount = 40;
    const std::uint64_t dialler_before = stacks.cpu_ns(0);
    const std::uint64_t acceptor_before = stacks.cpu_ns(1);
    for (std::size_t n = 0; n < kCount; ++n) stacks.shake_hands();
    const auto accepting = static_cast<double>(stacks.cpu_ns(1) - acceptor_before);
    both.push_back((accepting + static_cast<double>(stacks.cpu_ns(0) - dialler_before)) / kCount);
    acceptor.push_back(accepting / kCount);
  }
  print_alone("sessions (QUIC, TLS, proofs, Hello) opened and closed per CPU-second, both sides",
              per_second(median(both)));
  print_alone("the same, the acceptor's side", per_second(median(acceptor)));
}

void Bench::envelopes_in_memory() const {
  InMemory stacks;
  stacks.open();
  constexpr std::uint64_t kCount = 20'000;
  stacks.send(kCount);
  std::vector<double> both;
  for (std::size_t i = 0; i < arguments_.pairs; ++i) {
    const std::uint64_t before = stacks.cpu_ns(0) + stacks.cpu_ns(1);
    stacks.send(kCount);
    both.push_back(static_cast<double>(stacks.cpu_ns(0) + stacks.cpu_ns(1) - before) / kCount);
  }
  print_alone("envelopes of 100 bytes, in memory, per CPU-second of both sides",
              per_second(median(both)));
}

void Bench::envelopes_over_loopback() const {
  constexpr std::uint64_t kCount = 200'000;
  const OurServer server = start_ours({"serve-sessions"});
  std::vector<double> walls;
  std::vector<double> receiving;
  for (std::size_t i = 0; i < arguments_.pairs; ++i) {
    const std::uint64_t before = server.child.cpu_ns();
    Child sender =
        Child::self({"send", std::to_string(server.port), std::to_string(kCount)}, kClientCore);
    walls.push_back(sender.number("ns ") / kCount);
    sender.wait();
    receiving.push_back(static_cast<double>(server.child.cpu_ns() - before) / kCount);
  }
  print_alone("envelopes of 100 bytes over loopback, sender and receiver on a core each",
              per_second(median(walls)));
  print_alone("the same, per CPU-second of the receiver, its handshake included",
              per_second(median(receiving)));
}

struct Held {
  double resident = 0;   // bytes a connection, by the kernel
  double accounted = 0;  // by us
};

template <class Server>
Held hold_once(const Server& server, std::vector<std::string> role, bool ours) {
  const std::uint64_t before = server.child.resident_bytes();
  Child holder = Child::self(role, kClientCore);
  (void)holder.number("held ");
  ::usleep(300'000);  // the last packets of the last handshakes
  const auto count = std::stod(role[2]);
  Held held{
      (static_cast<double>(server.child.resident_bytes()) - static_cast<double>(before)) / count,
      0};
  if (ours) {
    server.child.say("accounted");
    held.accounted = const_cast<Child&>(server.child).number("accounted ");
  }
  return held;
}

void Bench::memory() {
  constexpr std::size_t kRuns = 3;  // they differ by less than a hundredth
  const std::string count = "1000";
  std::array<std::vector<double>, 2> values;
  std::vector<double> sessions;
  Held quic;
  Held session;
  const bool peer = have_peer();
  for (std::size_t i = 0; i < kRuns; ++i) {  // a fresh server each time
    const OurServer plain = start_ours({"serve", "h3"});
    quic = hold_once(plain, {"hold", std::to_string(plain.port), count, "h3"}, true);
    values[0].push_back(quic.resident);
    const OurServer whole = start_ours({"serve-sessions"});
    session = hold_once(whole, {"hold-sessions", std::to_string(whole.port), count}, true);
    sessions.push_back(session.resident);
    if (!peer) continue;
    const OurServer theirs = start_theirs();
    values[1].push_back(
        hold_once(theirs, {"hold", std::to_string(theirs.port), count, "h3"}, false).resident);
  }
  const auto kib = [](double bytes) { return fmt::format("{:.1f} KiB", bytes / 1024); };
  const std::string plain_name = "resident memory of the server for each of 1,000 idle connections";
  const std::string session_name = "the same with a session on each of ours";
  if (peer) {
    print_pair(plain_name, compare_values(values[0], values[1], kResamples), 1 / 0.7, kib);
    print_pair(session_name, compare_values(sessions, values[1], kResamples), 1 / 0.7, kib);
  } else {
    print_absent(plain_name, kib(median(values[0])));
    print_absent(session_name, kib(median(sessions)));
  }
  print_alone("of them accounted to the connection", kib(quic.accounted));
  print_alone("of them accounted to the connection and its session", kib(session.accounted));
}

void Bench::latency_under_flood() const {
  const OurServer server = start_ours({"serve-sessions"});
  const std::string port = std::to_string(server.port);
  std::array<std::vector<double>, 2> p99;
  std::array<std::vector<double>, 2> p50;
  double lost = 0;
  double initials = 0;
  const auto pairs = std::max<std::size_t>(3, arguments_.pairs / 3);
  Child probe = Child::self({"probe", port, "100", "2"}, kClientCore);
  (void)probe.number("open ");
  Child flood = Child::self({"flood", port, "20000"}, kClientCore);
  (void)flood.number("ready ");
  alternate(pairs, [&](bool quiet) {
    if (!quiet) flood.say("begin");
    probe.say("begin");
    const std::size_t side = quiet ? 0 : 1;
    p50[side].push_back(probe.number("p50 "));
    p99[side].push_back(probe.number("p99 "));
    (void)probe.number("trips ");
    lost = probe.number("lost ");
    if (quiet) return;
    flood.say("end");
    initials += flood.number("sent ");
  });
  const Comparison c = compare_values(p99[1], p99[0], kResamples);
  print_alone("round trip over 100 sessions, quiet: p50, p99",
              fmt::format("{:.0f} µs, {:.0f} µs", median(p50[0]), median(p99[0])));
  print_alone(
      "the same in a flood of 20,000 Initials a second from 256 addresses: p50, p99",
      fmt::format("{:.0f} µs, {:.0f} µs ({:.2f}x, {:.2f}–{:.2f}; {:.0f} Initials, {:.0f} sessions "
                  "lost)",
                  median(p50[1]), median(p99[1]), 1 / c.ratio, 1 / c.high, 1 / c.low, initials,
                  lost));
}

void Bench::run() {
  fmt::print("| what | ours | peer | its figure | ratio (95 %) | goal | verdict |\n");
  fmt::print("|---|---|---|---|---|---|---|\n");
  if (wants("bulk")) bulk();
  if (wants("handshakes")) {
    server_handshakes();
    session_handshakes();
  }
  if (wants("envelopes")) {
    envelopes_in_memory();
    envelopes_over_loopback();
  }
  if (wants("memory")) memory();
  if (wants("flood")) latency_under_flood();
  if (!have_peer()) {
    fmt::print(
        "\nThe peer: apt-get install ngtcp2-client/bookworm-backports "
        "ngtcp2-server/bookworm-backports (and openssl for its certificate).\n");
  }
}

std::string cpu_model() {
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string text; std::getline(info, text);) {
    if (text.starts_with("model name")) return text.substr(text.find(':') + 2);
  }
  return "unknown";
}

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--pairs" && i + 1 < words.size()) {
      arguments.pairs = std::stoul(words[++i]);
    } else if (!words[i].starts_with("-")) {
      arguments.filter = words[i];
    } else {
      throw std::runtime_error(
          "usage: transport_bench [--pairs N] [bulk|handshakes|envelopes|memory|flood]");
    }
  }
  return arguments;
}

// What else ran while the rows were taken belongs to them.
std::string load_average() {
  std::ifstream load{"/proc/loadavg"};
  std::string first;
  load >> first;
  return first;
}

}  // namespace
}  // namespace ethnet::bench

int main(int argc, char** argv) {
  const std::vector<std::string> words{argv + 1, argv + argc};
  try {
    if (ethnet::bench::run_role(words)) return 0;
    const auto arguments = ethnet::bench::parse(words);
    fmt::print("CPU: {}, {} pairs, load average before: {}\n\n", ethnet::bench::cpu_model(),
               arguments.pairs, ethnet::bench::load_average());
    ethnet::bench::Bench{arguments}.run();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "transport_bench: {}\n", error.what());
    return 1;
  }
}
