#include "server.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>
#include <observe/accept_loop.hpp>

#include "census_page.hpp"
#include "page.hpp"

namespace ethnet::census {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// One question and its answer. No handler outlives it: it is forgotten when its operation has
// ended.
class Connection {
 public:
  enum class Stage : std::uint8_t { asking, answered, closed };

  Connection(tcp::socket socket, Page& page, std::function<void()> forget)
      : stream_{std::move(socket)}, page_{page}, forget_{std::move(forget)} {}

  void start() {
    parser_.header_limit(std::uint32_t{kMaxCensusHeaderBytes});
    parser_.body_limit(std::uint64_t{0});
    stream_.expires_after(std::chrono::nanoseconds{kCensusPatience.ns});
    http::async_read(stream_, buffer_, parser_, [this](ErrorCode error, std::size_t) {
      if (error) return forget_();
      stage_ = Stage::answered;
      response_ = page_.answer(parser_.get());
      response_->keep_alive(false);
      response_->prepare_payload();
      http::async_write(stream_, *response_, [this](ErrorCode, std::size_t) {
        ErrorCode ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        forget_();
      });
    });
  }
  // Its operation ends with an error, and that ends it.
  void close() {
    stage_ = Stage::closed;
    stream_.close();
  }
  [[nodiscard]] Stage stage() const { return stage_; }

 private:
  Stage stage_ = Stage::asking;
  beast::tcp_stream stream_;
  Page& page_;
  std::function<void()> forget_;
  beast::flat_buffer buffer_{kMaxCensusHeaderBytes};
  http::request_parser<http::string_body> parser_;
  std::optional<HttpResponse> response_;
};

void open(tcp::acceptor& acceptor, const Endpoint& listen) {
  const tcp::endpoint at{asio::ip::make_address(listen.ip.to_string()), listen.port};
  try {
    acceptor.open(at.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    // Those that are accepted have it too.
    acceptor.set_option(asio::socket_base::send_buffer_size(int{kMaxCensusSendBuffer}));
    acceptor.bind(at);
    acceptor.listen();
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(fmt::format("--serve: cannot listen on {}: {}", listen.to_string(),
                                         error.code().message()));
  }
}

// "Any address" is none that a browser could name, and Page refuses it.
std::string url_of(Endpoint at) {
  if (at.ip.is_unspecified()) {
    at.ip = IpAddress::parse(at.ip.is_v4() ? "127.0.0.1" : "::1").value();
  }
  return fmt::format("http://{}/", at.to_string());
}

}  // namespace

class Server::Impl {
 public:
  Impl(const std::string& census, const Endpoint& listen, std::vector<std::string> names)
      : page_{census, observe::HostNames{std::move(names), listen.ip}, observe::census_page()},
        acceptor_{io_} {
    open(acceptor_.acceptor(), listen);
    url_ = url_of({listen.ip, acceptor_.acceptor().local_endpoint().port()});
    acceptor_.start([this](tcp::socket socket) { take(std::move(socket)); }, [] {});
    thread_ = std::thread{[this] { io_.run(); }};
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    asio::post(io_, [this] {
      acceptor_.close();
      for (auto& [id, connection] : connections_) connection.close();
    });
    thread_.join();
  }
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  void take(tcp::socket socket) {
    const auto open = std::ranges::count_if(connections_, [](const auto& one) {
      return one.second.stage() != Connection::Stage::closed;
    });
    if (static_cast<std::size_t>(open) >= kMaxCensusConnections) {
      if (!close_oldest(Connection::Stage::asking)) close_oldest(Connection::Stage::answered);
    }
    const std::uint64_t id = ++last_id_;
    // Those that are closed are still here for a moment.
    if (connections_.size() >= 2 * kMaxCensusConnections) return;
    const auto [it, fresh] = connections_.try_emplace(id, std::move(socket), page_, [this, id] {
      asio::post(io_, [this, id] { connections_.erase(id); });
    });
    it->second.start();
  }

  bool close_oldest(Connection::Stage stage) {
    for (auto& [id, connection] : connections_) {
      if (connection.stage() != stage) continue;
      connection.close();
      return true;
    }
    return false;
  }

  Page page_;
  asio::io_context io_{1};
  observe::AcceptLoop<tcp> acceptor_;
  std::string url_;
  std::map<std::uint64_t, Connection> connections_;  // the oldest first
  std::uint64_t last_id_ = 0;
  std::thread thread_;
};

Server::Server(const std::string& census, const Endpoint& listen, std::vector<std::string> names)
    : impl_{std::make_unique<Impl>(census, listen, std::move(names))} {}
Server::~Server() = default;
std::string Server::url() const { return impl_->url(); }

}  // namespace ethnet::census
