// Listens on a TCP port and hands over who comes (accept_loop.hpp).
// Threading: that of the io_context. Throws std::runtime_error from the constructor, with one clear
// line, when the port is taken or the address not ours.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <types/endpoint.hpp>

#include "accept_loop.hpp"

namespace ethnet::observe {

class TcpAcceptor {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  // `flag`: of the command line, for error texts: "http" is --http.port, --http=false.
  TcpAcceptor(boost::asio::io_context& io, const Endpoint& listen, std::string_view flag);

  // Until close(), which has to be called before this is destroyed while the context still runs.
  void start(std::function<void(Socket)> take, std::function<void()> on_error) {
    loop_.start(std::move(take), std::move(on_error));
  }
  void close() { loop_.close(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  AcceptLoop<boost::asio::ip::tcp> loop_;
  std::uint16_t port_ = 0;
};

}  // namespace ethnet::observe
