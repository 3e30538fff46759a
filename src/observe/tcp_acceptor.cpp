#include "tcp_acceptor.hpp"

#include <stdexcept>

#include <boost/asio/error.hpp>
#include <fmt/format.h>

namespace ethnet::observe {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int kBacklog = 64;

}  // namespace

TcpAcceptor::TcpAcceptor(asio::io_context& io, const Endpoint& listen, std::string_view flag)
    : loop_{io} {
  const tcp::endpoint at{asio::ip::make_address(listen.ip.to_string()), listen.port};
  try {
    auto& acceptor = loop_.acceptor();
    acceptor.open(at.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(at);
    acceptor.listen(kBacklog);
    port_ = acceptor.local_endpoint().port();
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

}  // namespace ethnet::observe
