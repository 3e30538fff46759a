#include "tcp_acceptor.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

#include <boost/asio/error.hpp>
#include <fmt/format.h>

namespace ethnet::observe {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds kPause{500};
constexpr int kBacklog = 64;

}  // namespace

TcpAcceptor::TcpAcceptor(asio::io_context& io, const Endpoint& listen, std::string_view flag)
    : acceptor_{io}, pause_{io} {
  const tcp::endpoint at{asio::ip::make_address(listen.ip.to_string()), listen.port};
  try {
    acceptor_.open(at.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(at);
    acceptor_.listen(kBacklog);
    port_ = acceptor_.local_endpoint().port();
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::address_in_use) {
      throw std::runtime_error(
          fmt::format("port {}/tcp is in use: name another one by --{}.port, or --{}=false",
                      listen.port, flag, flag));
    }
    throw std::runtime_error(fmt::format("cannot listen for --{} on {}: {}", flag,
                                         listen.to_string(), error.code().message()));
  }
}

void TcpAcceptor::start(std::function<void(Socket)> take, std::function<void()> on_error) {
  take_ = std::move(take);
  on_error_ = std::move(on_error);
  accept();
}

void TcpAcceptor::close() {
  closed_ = true;
  ErrorCode ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void TcpAcceptor::accept() {
  acceptor_.async_accept([this](ErrorCode error, Socket socket) {
    if (closed_) return;
    if (!error) {
      take_(std::move(socket));
      return accept();
    }
    on_error_();
    pause_.expires_after(kPause);
    pause_.async_wait([this](ErrorCode) {
      if (!closed_) accept();
    });
  });
}

}  // namespace ethnet::observe
