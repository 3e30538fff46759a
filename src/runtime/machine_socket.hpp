// MachineSocket: drives a small machine on a UDP socket of its own, on an io_context where other
// things run too. For machines without jobs; what has a program to itself is a MachineLoop's.
// What a full socket does not take is lost: such machines ask again. One thread, the io_context's.
#pragma once

#include <functional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <machine/pump.hpp>

#include "boot_timer.hpp"
#include "os.hpp"
#include "udp.hpp"

namespace ethnet::runtime {

template <class Machine>
class MachineSocket {
 public:
  using Handler = std::function<void(EventOf<Machine>)>;

  // `machine` outlives it. `handler` must not make inputs of this machine. Throws
  // std::runtime_error with one clear line.
  MachineSocket(boost::asio::io_context& io, Machine& machine, const Endpoint& local,
                Handler handler)
      : handler_{std::move(handler)},
        socket_{local, UdpOptions{}},
        descriptor_{io, socket_.fd()},
        timer_{io, [this] { on_timer(); }},
        pump_{machine, *this, buffer_} {
    wait_readable();
  }
  MachineSocket(const MachineSocket&) = delete;
  MachineSocket& operator=(const MachineSocket&) = delete;
  ~MachineSocket() { descriptor_.release(); }  // the UdpSocket closes it

  // f(machine, now), a command.
  template <class F>
  void input(F&& f) {
    const Now now = os_now();
    pump_.input(now, [&](Machine& machine) { f(machine, now); });
    after_turn();
  }

  // The pump's sink.
  bool transmit(const Transmit& transmit, ByteView bytes) {
    (void)socket_.send(transmit, bytes);
    return true;
  }
  void event(EventOf<Machine> event) { handler_(std::move(event)); }

 private:
  void wait_readable() {
    descriptor_.async_wait(
        boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
          if (error) return;
          socket_.receive(
              [this](std::span<const Datagram> batch) { pump_.handle_datagrams(os_now(), batch); });
          after_turn();
          wait_readable();
        });
  }
  void on_timer() {
    if (const Now now = os_now(); pump_.next_deadline() <= now.mono) pump_.handle_deadline(now);
    after_turn();
  }
  void after_turn() {
    while (pump_.needs_drain()) pump_.resume(os_now());
    timer_.set(pump_.next_deadline());
  }

  Handler handler_;
  UdpSocket socket_;
  boost::asio::posix::stream_descriptor descriptor_;
  BootTimer timer_;
  Bytes buffer_ = Bytes(kTransmitBufferBytes);
  Pump<Machine, MachineSocket> pump_;
};

}  // namespace ethnet::runtime
