// MachineLoop: drives one machine on one UDP socket, for programs that ask something and end. What
// runs for long and beside other things is a NodeRunner's. Jobs are done at once, on the one
// thread; events are handed on after the turn in which they came, so that a handler may make
// inputs. SIGINT and SIGTERM, which StopSignals holds back, end it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include <machine/pump.hpp>

#include "os.hpp"
#include "udp.hpp"

namespace ethnet::runtime {

// What happens on a socket, or a signal that waits.
class SocketWaiter {
 public:
  SocketWaiter();
  SocketWaiter(const SocketWaiter&) = delete;
  SocketWaiter& operator=(const SocketWaiter&) = delete;
  ~SocketWaiter();

  struct Ready {
    bool readable = false;
    bool writable = false;
    bool stopped = false;
  };
  // Until `until`, at the latest.
  [[nodiscard]] Ready wait(const UdpSocket& socket, bool want_writable, Instant until) const;

 private:
  int signals_ = -1;
};

enum class LoopEnd : std::uint8_t { done, time_is_over, stopped };

template <class Machine>
class MachineLoop {
 public:
  using Handler = std::function<void(EventOf<Machine>)>;

  // All three outlive it.
  MachineLoop(Machine& machine, UdpSocket& socket, Handler handler)
      : socket_{socket}, handler_{std::move(handler)}, pump_{machine, *this, buffer_} {}

  // f(machine, now), a command. From anywhere but the machine.
  template <class F>
  void input(F&& f) {
    const Now now = os_now();
    pump_.input(now, [&](Machine& machine) { f(machine, now); });
  }
  // Until done() says so, which is asked after each turn.
  LoopEnd run(const std::function<bool()>& done, Instant until) {
    for (;;) {
      finish_turn();
      if (done()) return LoopEnd::done;
      const Instant now = os_now().mono;
      if (now >= until) return LoopEnd::time_is_over;
      const Instant at = pump_.needs_drain() ? now : std::min(until, pump_.next_deadline());
      const auto ready = waiter_.wait(socket_, pump_.waits_for_writable(), at);
      if (ready.stopped) return LoopEnd::stopped;
      turn(ready);
    }
  }

  // The pump's sink.
  bool transmit(const Transmit& transmit, ByteView bytes) { return socket_.queue(transmit, bytes); }
  bool flush() { return socket_.flush(); }
  void event(EventOf<Machine> event) { events_.push_back(std::move(event)); }
  void job(Job job) { jobs_.push_back(std::move(job)); }

 private:
  void turn(const SocketWaiter::Ready& ready) {
    if (ready.writable) pump_.handle_writable(os_now());
    if (ready.readable) {
      socket_.receive(
          [this](std::span<const Datagram> batch) { pump_.handle_datagrams(os_now(), batch); });
    }
    if (pump_.needs_drain()) pump_.resume(os_now());
    if (const Now now = os_now(); pump_.next_deadline() <= now.mono) pump_.handle_deadline(now);
  }
  // What came of a turn may come of more turns.
  void finish_turn() {
    while (!jobs_.empty() || !events_.empty()) {
      if (!jobs_.empty()) {
        const Job job = std::move(jobs_.front());
        jobs_.pop_front();
        if constexpr (HasJobs<Machine>) pump_.handle_job_done(os_now(), {job.id, job.work()});
        continue;
      }
      auto event = std::move(events_.front());
      events_.pop_front();
      handler_(std::move(event));
    }
  }

  UdpSocket& socket_;
  Handler handler_;
  SocketWaiter waiter_;
  std::deque<EventOf<Machine>> events_;
  std::deque<Job> jobs_;
  Bytes buffer_ = Bytes(kTransmitBufferBytes);
  Pump<Machine, MachineLoop> pump_;
};

}  // namespace ethnet::runtime
