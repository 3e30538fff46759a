// The node of discovery that a command is: its key, record and socket, driven until what was asked
// has ended. Every error is a std::runtime_error with one clear line.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <apps/common/boot_node.hpp>
#include <discovery/host/host.hpp>
#include <runtime/machine_loop.hpp>
#include <runtime/os.hpp>
#include <runtime/stop_signals.hpp>
#include <runtime/udp.hpp>
#include <types/enr.hpp>

#include "discv.hpp"

namespace ethnet::app {

enum class DiscvVersion : std::uint8_t { v4, v5 };

class DiscvNode {
 public:
  using Handler = std::function<void(const discovery::Event&)>;

  // `keeps_table`: it looks after its table by itself, as a node that stays.
  DiscvNode(const DiscvOptions& options, DiscvVersion version, bool keeps_table);

  // f(host, now), a command.
  template <class F>
  void ask(F&& f) {
    loop_->input(std::forward<F>(f));
  }
  // Every event goes to `handler`, until it has made `done` true. Throws where a signal came, or
  // the time of the options is over ("no answer within 30 s").
  void run(const bool& done, const Handler& handler);
  // Until a signal comes.
  void listen(const Handler& handler);

  [[nodiscard]] discovery::Host& host() { return *host_; }
  [[nodiscard]] const Endpoint& local() const { return socket_.local(); }

 private:
  runtime::StopSignals signals_;  // before all else: a signal from here on is a clean end
  runtime::OsEntropy entropy_;
  runtime::UdpSocket socket_;
  std::uint32_t timeout_seconds_;
  Handler handler_;
  std::unique_ptr<discovery::Host> host_;
  std::unique_ptr<runtime::MachineLoop<discovery::Host>> loop_;
};

// What an engine says: E of the events of a protocol (discv4::Event, discv5::Event), or null.
template <class E, class Protocol>
[[nodiscard]] const E* event_of(const discovery::Event& event) {
  const auto* const of_protocol = std::get_if<Protocol>(&event);
  return of_protocol == nullptr ? nullptr : std::get_if<E>(of_protocol);
}
// A command's number; none was given where the node cannot be asked.
void check_started(std::uint64_t command);
void check_answered(bool answered);
// "--bootnodes: with whom to begin?", where there is none.
void check_begins_with_somebody(const DiscvOptions& options);
// A line of `listen`.
void print_seen(const kbucket::NodeRecord& record, kbucket::Standing standing);

// The key of the options, or a fresh one; and a record of it, later than those of earlier runs.
[[nodiscard]] std::shared_ptr<const crypto::SecretKey> own_key(const DiscvOptions& options,
                                                               SecureRng& rng);
[[nodiscard]] std::shared_ptr<const VerifiedEnr> own_record(const crypto::SecretKey& key,
                                                            const Endpoint& local);
// The socket's of the options.
[[nodiscard]] Endpoint parse_own_address(const DiscvOptions& options);
// 64 hexadecimal digits; nothing where it is empty.
[[nodiscard]] std::optional<NodeId> parse_target(const std::string& text);

}  // namespace ethnet::app
