// Drives a node::Node on real sockets: one io_context, one thread, the same pump() as the
// simulator.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <machine/pump.hpp>
#include <node/node.hpp>

#include "boot_timer.hpp"
#include "dns_resolver.hpp"
#include "udp.hpp"
#include "worker.hpp"

namespace ethnet::runtime {

// Can a socket that is bound to `local` send to this address? `[::]` reaches IPv4 too.
[[nodiscard]] bool can_reach(const IpAddress& local, const IpAddress& remote);

class NodeRunner {
 public:
  using EventHandler = std::function<void(const node::NodeEvent&)>;

  // `sockets`: bound as the node was told. The node must outlive the runner.
  NodeRunner(node::Node& node, std::vector<std::unique_ptr<UdpSocket>> sockets,
             Workers::StoreWork store, EventHandler handler);
  NodeRunner(const NodeRunner&) = delete;
  NodeRunner& operator=(const NodeRunner&) = delete;
  ~NodeRunner();

  // f(node, now) as one turn, on the runner's thread, before run() or from an event handler's post.
  void input(const std::function<void(node::Node&, Now)>& f);
  // The same from any thread, later; never where the runner has ended by then.
  void post(std::function<void(node::Node&, Now)> f);
  // After `delay` of real time, as one turn.
  void after(Duration delay, std::function<void(node::Node&, Now)> f);
  // Every `period` of real time, as one turn each, until it is destroyed.
  void every(Duration period, std::function<void(node::Node&, Now)> f);
  // Drives the node until done() says so, asked after each piece of work; false when it was told to
  // stop before: run() is still needed then.
  [[nodiscard]] bool run_until(const std::function<bool()>& done);
  // Who answers the node's questions for texts in the DNS; nobody: they fail. Before run(). Throws
  // std::runtime_error with one clear line.
  void ask_dns(const DnsOptions& options) { dns_.emplace(io_, options); }
  // Until stop() or the second of two signals; the first is a clean stop.
  void run();
  // Says goodbye to the peers, waits a moment for it to be sent, and returns from run().
  void stop();
  // Called once, when stop() begins, on the runner's thread.
  void on_stop(std::function<void()> f) { on_stop_ = std::move(f); }
  // After run(): waits for the store, at most so long. Returns how many writes are not done; if
  // there are any, or a name is still looked up, destroying the runner would wait for them.
  [[nodiscard]] std::size_t finish_store(Duration patience) {
    return workers_->finish_store(patience);
  }
  [[nodiscard]] bool looks_up() const { return look_ups_ > 0; }
  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  // The node's, and those of the sockets.
  [[nodiscard]] std::vector<node::Counter> counters() const;
  // With all these counters.
  [[nodiscard]] node::NodeSnapshot snapshot();

  // The pump's sink.
  bool transmit(const Transmit& transmit, ByteView bytes);
  bool flush();
  void event(node::NodeEvent event);
  void job(Job job) { workers_->run(std::move(job)); }
  void store(StoreOp op) { workers_->run(std::move(op)); }

 private:
  struct Socket {
    std::unique_ptr<UdpSocket> udp;
    boost::asio::posix::stream_descriptor descriptor;
  };

  [[nodiscard]] std::size_t socket_for(const Transmit& transmit) const;

  using Turn = std::function<void(node::Node&, Now)>;
  void repeat(boost::asio::steady_timer& timer, Duration period, const Turn& turn);
  void begin();
  void wait_readable(std::size_t index);
  void wait_writable(std::size_t index);
  // It is full: the pump goes on when it is not.
  void note_full(std::size_t index);
  void read(std::size_t index);
  void on_timer();
  void after_turn();
  void add_own_counters(std::vector<node::Counter>& out) const;
  void wait_signal();
  void resolve(const node::ResolveWanted& wanted);
  void ask_texts(const node::TextsWanted& wanted);
  // A look-up failed: was it for want of a file descriptor? The resolver does not say.
  void note_failed_look_up();

  EventHandler handler_;
  std::function<void()> on_stop_;
  boost::asio::io_context io_{1};
  std::vector<Socket> sockets_;
  std::unique_ptr<Workers> workers_;
  BootTimer timer_;
  boost::asio::steady_timer stop_timer_{io_};
  boost::asio::signal_set signals_;
  boost::asio::ip::udp::resolver resolver_{io_};
  std::optional<DnsResolver> dns_;
  std::vector<std::unique_ptr<boost::asio::steady_timer>> delayed_;
  std::vector<std::unique_ptr<const Turn>> turns_;  // of those that repeat
  Bytes scratch_;
  std::optional<std::size_t> full_socket_;
  std::optional<std::size_t> queued_socket_;  // the one whose queue may hold something
  std::size_t look_ups_ = 0;                  // in flight; one a static peer
  std::uint64_t descriptors_exhausted_ = 0;   // what was put off or failed for want of one
  bool begun_ = false;
  bool stopping_ = false;
  Pump<node::Node, NodeRunner> pump_;
};

}  // namespace ethnet::runtime
