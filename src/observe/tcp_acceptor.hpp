// Listens on a TCP port and hands over who comes. Without a descriptor there is nothing to accept
// with: it is counted, and tried again a moment later, since others may free one.
// Threading: that of the io_context. Throws std::runtime_error from the constructor, with one clear
// line, when the port is taken or the address not ours.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <types/endpoint.hpp>

namespace ethnet::observe {

class TcpAcceptor {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  // `flag`: of the command line, for error texts: "http" is --http.port, --http=false.
  TcpAcceptor(boost::asio::io_context& io, const Endpoint& listen, std::string_view flag);

  // Until close(), which has to be called before this is destroyed while the context still runs.
  void start(std::function<void(Socket)> take, std::function<void()> on_error);
  void close();
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::function<void(Socket)> take_;
  std::function<void()> on_error_;
  std::uint16_t port_ = 0;
  bool closed_ = false;
};

}  // namespace ethnet::observe
