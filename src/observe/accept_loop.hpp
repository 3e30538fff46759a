// Hands over who connects to a listening socket, until it is closed. Without a descriptor there is
// nothing to accept with: it is counted, and tried again a moment later, since others may free one.
// Threading: that of the io_context.
#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace ethnet::observe {

template <class Protocol>
class AcceptLoop {
 public:
  using Acceptor = boost::asio::basic_socket_acceptor<Protocol>;
  using Socket = typename Protocol::socket;

  explicit AcceptLoop(boost::asio::io_context& io) : acceptor_{io}, pause_{io} {}
  AcceptLoop(const AcceptLoop&) = delete;
  AcceptLoop& operator=(const AcceptLoop&) = delete;

  // To be opened, bound and set to listen before start().
  [[nodiscard]] Acceptor& acceptor() { return acceptor_; }

  void start(std::function<void(Socket)> take, std::function<void()> on_error) {
    take_ = std::move(take);
    on_error_ = std::move(on_error);
    accept();
  }
  // Before this is destroyed, while the context still runs.
  void close() {
    closed_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  static constexpr std::chrono::milliseconds kShortage{500};

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, Socket socket) {
      if (closed_) return;
      if (!error) {
        take_(std::move(socket));
        return accept();
      }
      on_error_();
      pause_.expires_after(kShortage);
      pause_.async_wait([this](boost::system::error_code) {
        if (!closed_) accept();
      });
    });
  }

  Acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::function<void(Socket)> take_;
  std::function<void()> on_error_;
  bool closed_ = false;
};

}  // namespace ethnet::observe
