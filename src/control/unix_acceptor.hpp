// Listens on a Unix socket that only its owner can open (mode 0600 from the first moment on), and
// hands over who connects (accept_loop.hpp).
//
// A socket file that a dead process left is removed; one at which somebody listens is not, nor is
// any other file. The file goes when this is destroyed.
// Threading: that of the io_context. Throws std::runtime_error from the constructor, with one clear
// line.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <observe/accept_loop.hpp>

namespace ethnet::control {

class UnixAcceptor {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  UnixAcceptor(boost::asio::io_context& io, std::string path);
  ~UnixAcceptor();
  UnixAcceptor(const UnixAcceptor&) = delete;
  UnixAcceptor& operator=(const UnixAcceptor&) = delete;

  // Until close(), which has to be called before this is destroyed while the context still runs.
  void start(std::function<void(Socket)> take, std::function<void()> on_error) {
    loop_.start(std::move(take), std::move(on_error));
  }
  void close() { loop_.close(); }

 private:
  std::string path_;
  observe::AcceptLoop<boost::asio::local::stream_protocol> loop_;
};

}  // namespace ethnet::control
