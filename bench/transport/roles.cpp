#include "roles.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "station.hpp"

namespace ethnet::bench {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kEnvelope = 100;
// The first byte of a message says what the server does with it.
constexpr std::byte kEcho{1};
constexpr std::byte kCount{0};
constexpr std::byte kLast{2};  // answered when everything before it was counted

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

// True once the parent has closed our input or said a line.
bool input_waits() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, 0) > 0;
}

// Answers the lines of the parent until it is gone.
void serve(Station& station, const std::function<std::string()>& accounted) {
  say(fmt::format("port {}", station.port()));
  station.watched = STDIN_FILENO;
  for (;;) {
    station.turn(seconds(1));
    if (!input_waits()) continue;
    std::string line;
    if (!std::getline(std::cin, line)) return;
    say(accounted());
  }
}

std::uint16_t port_of(const std::string& word) {
  return static_cast<std::uint16_t>(std::stoul(word));
}

// Sends what streams ask for.
class Giver {
 public:
  explicit Giver(Station& station) : station_{station}, chunk_(256 * 1024, std::byte{0x5a}) {}

  void handle(const transport::ConnEvent& event) {
    if (const auto* readable = std::get_if<transport::Readable>(&event.kind)) {
      read(event.conn, readable->stream);
    } else if (const auto* writable = std::get_if<transport::Writable>(&event.kind)) {
      write(event.conn, writable->stream);
    } else if (std::holds_alternative<transport::Closed>(event.kind)) {
      std::erase_if(left_, [&](const auto& entry) { return entry.first.first == event.conn; });
      std::erase(open_, event.conn);
    } else if (std::holds_alternative<transport::Confirmed>(event.kind)) {
      open_.push_back(event.conn);
    }
  }
  [[nodiscard]] std::string accounted() const {
    std::size_t bytes = 0;
    for (const auto conn : open_) bytes += station_.endpoint().memory_bytes(conn);
    return fmt::format("accounted {}", bytes / std::max<std::size_t>(open_.size(), 1));
  }

 private:
  void read(transport::ConnHandle conn, transport::StreamId stream) {
    quic::QuicEndpoint& endpoint = station_.endpoint();
    const ByteView asked = endpoint.read(conn, stream);
    const std::size_t size = asked.size();
    if (size == 8) left_[{conn, stream}] = load_be<std::uint64_t>(asked);
    endpoint.consume(conn, stream, size);
    write(conn, stream);
  }
  void write(transport::ConnHandle conn, transport::StreamId stream) {
    const auto entry = left_.find({conn, stream});
    if (entry == left_.end()) return;
    while (entry->second > 0) {
      const std::size_t wanted = std::min<std::size_t>(entry->second, chunk_.size());
      const std::size_t taken =
          station_.endpoint().write(conn, stream, ByteView{chunk_}.first(wanted));
      entry->second -= taken;
      if (taken < wanted) return;
    }
    station_.endpoint().finish(conn, stream);
    left_.erase(entry);
  }

  Station& station_;
  Bytes chunk_;
  std::map<std::pair<transport::ConnHandle, transport::StreamId>, std::uint64_t> left_;
  std::vector<transport::ConnHandle> open_;
};

void serve_quic(const std::string& alpn) {
  Station station{quic_config(alpn)};
  Giver giver{station};
  station.on_event = [&](Now, const transport::ConnEvent& event) { giver.handle(event); };
  serve(station, [&] { return giver.accounted(); });
}

void serve_sessions() {
  Station station{quic_config("ethnet/1")};
  Peer& peer = station.add_peer(1);
  peer.on_event = [&](Now now, session::SessionEvent event) {
    auto* message = std::get_if<session::MessageReceived>(&event);
    if (message == nullptr || message->payload.front() == kCount) return;
    (void)peer.manager().send(now, message->session, message->capability, session::Priority::normal,
                              std::move(message->payload));
  };
  serve(station, [&] {
    const auto s = peer.manager().snapshot();
    return fmt::format("accounted {}", s.memory_bytes / std::max<std::size_t>(s.active_inbound, 1));
  });
}

void fetch(std::uint16_t port, std::uint64_t mib) {
  Station station{quic_config("ethnet/1")};
  quic::QuicEndpoint& endpoint = station.endpoint();
  const auto conn = endpoint.dial(runtime::os_now(), loopback(port)).value();
  station.run(seconds(10), [&] { return station.opened > 0; });
  const auto stream = endpoint.open_stream(conn, transport::StreamKind::bidirectional).value();
  std::uint64_t got = 0;
  station.on_event = [&](Now, const transport::ConnEvent& event) {
    if (!std::holds_alternative<transport::Readable>(event.kind)) return;
    const std::size_t n = endpoint.read(conn, stream).size();
    got += n;
    endpoint.consume(conn, stream, n);
  };
  Bytes request;
  append_be<std::uint64_t>(request, mib * kMiB);
  if (endpoint.write(conn, stream, request) != request.size()) {
    throw std::runtime_error("no room for a request");
  }
  station.run(seconds(120), [&] { return got == mib * kMiB; });
  endpoint.close(runtime::os_now(), conn, 0, "");
  station.turn(Duration{});
}

// Begins `count` connections, four at a time.
void open_all(Station& station, std::uint16_t port, std::size_t count, bool close_each) {
  std::size_t begun = 0;
  std::size_t done = 0;
  station.on_event = [&](Now now, const transport::ConnEvent& event) {
    if (!std::holds_alternative<transport::Confirmed>(event.kind)) return;
    ++done;
    if (close_each) station.endpoint().close(now, event.conn, 0, "");
  };
  station.run(seconds(120), [&] {
    for (; begun < count && begun < done + 4; ++begun) {
      (void)station.endpoint().dial(runtime::os_now(), loopback(port)).value();
    }
    return done == count;
  });
}

void open_sessions(Station& station, std::uint16_t port, std::size_t count) {
  std::size_t begun = 0;
  station.run(seconds(300), [&] {
    std::size_t opened = 0;
    for (std::size_t i = 0; i < begun; ++i) {
      if (station.peer(i).failed > 0) throw std::runtime_error("a session was refused");
      opened += station.peer(i).opened;
    }
    for (; begun < count && begun < opened + 4; ++begun) {
      (void)station.add_peer(1000 + begun);
      station.dial(begun, port);
    }
    return opened == count;
  });
}

// Lives until the parent says something (true) or is gone.
bool until_told(Station& station) {
  station.watched = STDIN_FILENO;
  while (!input_waits()) station.turn(seconds(1));
  station.watched = -1;
  std::string line;
  return static_cast<bool>(std::getline(std::cin, line));
}

void dial(std::uint16_t port, std::size_t count, const std::string& alpn) {
  Station station{quic_config(alpn)};
  open_all(station, port, count, true);
}

void dial_sessions(std::uint16_t port, std::size_t count) {
  Station station{quic_config("ethnet/1")};
  Peer& peer = station.add_peer(2);
  peer.on_event = [&](Now now, const session::SessionEvent& event) {
    if (const auto* opened = std::get_if<session::SessionOpened>(&event)) {
      peer.manager().disconnect(now, opened->session, session::DisconnectReason::requested);
    }
  };
  for (std::size_t i = 0; i < count; ++i) {
    station.dial(0, port);
    station.run(seconds(10), [&] { return peer.closed + peer.failed > i; });
    if (peer.failed > 0) throw std::runtime_error("a session was refused");
  }
}

void hold(std::uint16_t port, std::size_t count, const std::string& alpn) {
  Station station{quic_config(alpn)};
  open_all(station, port, count, false);
  say("held 1");
  (void)until_told(station);
}

void hold_sessions(std::uint16_t port, std::size_t count) {
  Station station{quic_config("ethnet/1")};
  open_sessions(station, port, count);
  say("held 1");
  (void)until_told(station);
}

// False when the budget is used up; the message is then for later.
bool send_message(Station& station, std::size_t index, std::byte what) {
  Peer& peer = station.peer(index);
  Bytes payload(kEnvelope, std::byte{0x5a});
  payload.front() = what;
  const bool taken = peer.manager()
                         .send(runtime::os_now(), *peer.session, Peer::capability(),
                               session::Priority::normal, std::move(payload))
                         .has_value();
  station.touch(index);
  return taken;
}

void send_envelopes(std::uint16_t port, std::uint64_t count) {
  Station station{quic_config("ethnet/1")};
  open_sessions(station, port, 1);
  bool answered = false;
  station.peer(0).on_event = [&](Now, const session::SessionEvent& event) {
    answered = answered || std::holds_alternative<session::MessageReceived>(event);
  };
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t sent = 0;
  station.run(seconds(120), [&] {
    while (sent < count && send_message(station, 0, sent + 1 == count ? kLast : kCount)) ++sent;
    return answered;
  });
  const std::chrono::nanoseconds taken = std::chrono::steady_clock::now() - start;
  say(fmt::format("ns {}", taken.count()));
}

class Probes {
 public:
  Probes(Station& station, std::size_t count) : station_{station}, asked_at_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      station.peer(i).on_event = [this, i](Now, const session::SessionEvent& event) {
        if (!std::holds_alternative<session::MessageReceived>(event)) return;
        trips_us_.push_back(static_cast<double>((runtime::os_now().mono - asked_at_[i]).ns) / 1e3);
        asked_at_[i] = Instant{};
      };
    }
  }
  // Each session asks every 100 ms, one after another; one that still waits is not asked again.
  void run(Duration how_long) {
    const Instant start = runtime::os_now().mono;
    const Duration gap{milliseconds(100).ns / static_cast<std::int64_t>(asked_at_.size())};
    std::size_t next = 0;
    for (;;) {
      const Instant now = runtime::os_now().mono;
      if (now > start + how_long) break;
      for (; start + gap * static_cast<std::int64_t>(next) <= now; ++next) ask(next);
      station_.turn(gap);
    }
  }
  void report() {
    if (trips_us_.empty()) throw std::runtime_error("no answer came");
    std::ranges::sort(trips_us_);
    const auto at = [&](double share) {
      return trips_us_[static_cast<std::size_t>(share * static_cast<double>(trips_us_.size() - 1))];
    };
    say(fmt::format("p50 {:.1f}", at(0.5)));
    say(fmt::format("p99 {:.1f}", at(0.99)));
    say(fmt::format("trips {}", trips_us_.size()));
    std::size_t lost = 0;
    for (std::size_t i = 0; i < asked_at_.size(); ++i) lost += station_.peer(i).closed;
    say(fmt::format("lost {}", lost));
  }

 private:
  void ask(std::size_t number) {
    const std::size_t i = number % asked_at_.size();
    if (asked_at_[i] != Instant{} || station_.peer(i).closed > 0) return;
    asked_at_[i] = runtime::os_now().mono;
    (void)send_message(station_, i, kEcho);
  }

  Station& station_;
  std::vector<Instant> asked_at_;  // the question that is not answered yet
  std::vector<double> trips_us_;
};

void probe(std::uint16_t port, std::size_t count, double how_long_s) {
  Station station{quic_config("ethnet/1")};
  open_sessions(station, port, count);
  say("open 1");
  while (until_told(station)) {
    Probes probes{station, count};
    probes.run(Duration{static_cast<std::int64_t>(how_long_s * 1e9)});
    probes.report();
  }
}

// Initials of clients that never say another word.
std::vector<Bytes> make_initials(std::size_t count) {
  runtime::OsEntropy entropy;
  NullLog log;
  quic::EndpointConfig config = quic_config("ethnet/1");
  config.local = {loopback(1)};
  auto endpoint = quic::QuicEndpoint::make(runtime::os_now(), config, entropy, log).value();
  std::vector<Bytes> out;
  Bytes buffer(kTransmitBufferBytes);
  for (std::size_t i = 0; i < count; ++i) {
    const Now now = runtime::os_now();
    (void)endpoint->dial(now, loopback(2)).value();
    const auto burst = endpoint->poll_transmit(now, buffer).value();
    out.push_back(to_bytes(ByteView{buffer}.first(burst.segment_size)));
  }
  return out;
}

// A socket on an address of the loopback network that nobody else has.
int stranger(std::uint32_t number) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(0x7f01'0000U + number);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0) {
    throw std::runtime_error("cannot bind a loopback address");
  }
  return fd;
}

void flood(std::uint16_t port, std::uint64_t rate) {
  const std::vector<Bytes> initials = make_initials(2000);
  std::vector<int> sockets;
  for (std::uint32_t i = 0; i < 256; ++i) sockets.push_back(stranger(i + 1));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  say("ready 1");
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    std::uint64_t sent = 0;
    while (!input_waits()) {
      const std::chrono::duration<double> since = std::chrono::steady_clock::now() - start;
      const auto due = static_cast<std::uint64_t>(since.count() * static_cast<double>(rate));
      for (; sent < due; ++sent) {
        const Bytes& packet = initials[sent % initials.size()];
        (void)::sendto(sockets[sent % sockets.size()], packet.data(), packet.size(), 0,
                       reinterpret_cast<const sockaddr*>(&to), sizeof to);
      }
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
    std::getline(std::cin, line);
    say(fmt::format("sent {}", sent));
  }
}

}  // namespace

bool run_role(const std::vector<std::string>& words) {
  if (words.empty()) return false;
  const auto is = [&](std::string_view name, std::size_t n) {
    return words[0] == name && words.size() == n + 1;
  };
  if (is("serve", 1)) {
    serve_quic(words[1]);
  } else if (is("serve-sessions", 0)) {
    serve_sessions();
  } else if (is("fetch", 2)) {
    fetch(port_of(words[1]), std::stoull(words[2]));
  } else if (is("dial", 3)) {
    dial(port_of(words[1]), std::stoull(words[2]), words[3]);
  } else if (is("dial-sessions", 2)) {
    dial_sessions(port_of(words[1]), std::stoull(words[2]));
  } else if (is("hold", 3)) {
    hold(port_of(words[1]), std::stoull(words[2]), words[3]);
  } else if (is("hold-sessions", 2)) {
    hold_sessions(port_of(words[1]), std::stoull(words[2]));
  } else if (is("send", 2)) {
    send_envelopes(port_of(words[1]), std::stoull(words[2]));
  } else if (is("probe", 3)) {
    probe(port_of(words[1]), std::stoull(words[2]), std::stod(words[3]));
  } else if (is("flood", 2)) {
    flood(port_of(words[1]), std::stoull(words[2]));
  } else {
    return false;
  }
  return true;
}

}  // namespace ethnet::bench
