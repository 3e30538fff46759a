// Listens on a Unix socket that only its owner can open (mode 0600 from the first moment on), and
// hands over who connects. Without a descriptor there is nothing to accept with: it is counted, and
// tried again a moment later.
//
// A socket file that a dead process left is removed; one at which somebody listens is not, nor is
// any other file. The file goes when this is destroyed.
// Threading: that of the io_context. Throws std::runtime_error from the constructor, with one clear
// line.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

namespace ethnet::control {

class UnixAcceptor {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  UnixAcceptor(boost::asio::io_context& io, std::string path);
  ~UnixAcceptor();
  UnixAcceptor(const UnixAcceptor&) = delete;
  UnixAcceptor& operator=(const UnixAcceptor&) = delete;

  // Until close(), which has to be called before this is destroyed while the context still runs.
  void start(std::function<void(Socket)> take, std::function<void()> on_error);
  void close();

 private:
  void accept();

  std::string path_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::function<void(Socket)> take_;
  std::function<void()> on_error_;
  bool closed_ = false;
};

}  // namespace ethnet::control
