#include "http_server.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <optional>
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

#include "block_json.hpp"
#include "head_feed.hpp"
#include "http_page.hpp"
#include "log_watcher.hpp"
#include "tcp_acceptor.hpp"
#include "web_socket.hpp"

namespace ethnet::observe {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

std::chrono::nanoseconds to_chrono(Duration d) { return std::chrono::nanoseconds{d.ns}; }

// One connection. It has at most one operation under way, and is forgotten when that has ended and
// nothing follows: no handler outlives it.
class Connection {
 public:
  enum class Phase : std::uint8_t { header, body, answer };

  using Upgrade = std::function<void(beast::tcp_stream, const HttpRequest&)>;
  using Ask = std::function<void(std::vector<node::Query>)>;  // on_answers() follows

  Connection(tcp::socket socket, const HttpConfig& config, HttpPage& page, Upgrade upgrade, Ask ask,
             std::function<void()> forget)
      : stream_{std::move(socket)},
        config_{config},
        page_{page},
        upgrade_{std::move(upgrade)},
        ask_{std::move(ask)},
        forget_{std::move(forget)} {}

  void start() { read_header(); }
  // Its operation ends with an error, and that ends it; without one it ends now.
  void close() {
    closing_ = true;
    stream_.close();
    if (asking_) forget_();
  }
  void on_answers(const NodeAnswers& answers) {
    asking_ = false;
    write(page_.answer(parser_->get(), call_, answers));
  }
  [[nodiscard]] bool is_closing() const { return closing_; }
  [[nodiscard]] std::uint64_t phase_number() const { return phase_number_; }
  void set_phase_number(std::uint64_t number) { phase_number_ = number; }
  void on_phase(std::function<void()> next_phase) { next_phase_ = std::move(next_phase); }

 private:
  void begin(Phase phase, Duration time) {
    phase_ = phase;
    next_phase_();
    stream_.expires_after(to_chrono(time));
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(kMaxHttpHeaderBytes));
    parser_->body_limit(kMaxHttpBodyBytes);
    begin(Phase::header, config_.header_time);
    http::async_read_header(stream_, buffer_, *parser_,
                            [this](ErrorCode error, std::size_t) { on_header(error); });
  }
  void on_header(ErrorCode error) {
    if (error) return on_read_error(error);
    if (parser_->is_done()) return on_request();
    begin(Phase::body, config_.body_time);
    if ((*parser_).get()[http::field::expect] == "100-continue") return say_continue();
    read_body();
  }
  void say_continue() {
    response_.emplace(http::status::continue_, 11U);
    http::async_write(stream_, *response_, [this](ErrorCode error, std::size_t) {
      if (error) return on_read_error(error);
      read_body();
    });
  }
  void read_body() {
    http::async_read(stream_, buffer_, *parser_, [this](ErrorCode error, std::size_t) {
      if (error) return on_read_error(error);
      on_request();
    });
  }
  void on_request() {
    const HttpRequest& request = parser_->get();
    if (closing_) return forget_();
    if (!HttpPage::wants_socket(request)) return answer(request);
    // Its first message has to wait for our answer.
    if (buffer_.size() > 0) return write(page_.refuse(Refusal::bad_request, request.version()));
    if (auto refused = page_.refuse_socket(request)) return write(std::move(*refused));
    upgrade_(std::move(stream_), request);
    forget_();
  }

  void answer(const HttpRequest& request) {
    call_ = page_.read_call(request);
    if (!call_ || call_->queries().empty()) return write(page_.answer(request, call_, {}));
    begin(Phase::answer, config_.write_time);
    asking_ = true;
    ask_(call_->queries());
  }

  void on_read_error(ErrorCode error) {
    if (closing_ || error == http::error::end_of_stream || error == asio::error::eof ||
        error == asio::error::operation_aborted || error == asio::error::connection_reset ||
        error == http::error::partial_message) {
      return forget_();
    }
    if (error == beast::error::timeout) {  // the socket is closed already
      // A connection that is kept open and idle is no misbehaviour.
      const bool idle = phase_ == Phase::header && buffer_.size() == 0 && !parser_->got_some();
      if (!idle || requests_ == 0) {
        page_.count(phase_ == Phase::header ? Refusal::header_timeout : Refusal::body_timeout);
      }
      return forget_();
    }
    Refusal refusal = Refusal::bad_request;
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      refusal = Refusal::header_too_large;
    }
    if (error == http::error::body_limit) refusal = Refusal::body_too_large;
    write(page_.refuse(refusal, 11));
  }

  void write(HttpResponse response) {
    ++requests_;
    response_ = std::move(response);
    begin(Phase::answer, config_.write_time);
    http::async_write(stream_, *response_,
                      [this](ErrorCode error, std::size_t) { on_written(error); });
  }
  void on_written(ErrorCode error) {
    if (error == beast::error::timeout) page_.count(Refusal::write_timeout);
    if (error || closing_) return forget_();
    const bool keep = response_->keep_alive();
    response_.reset();
    if (keep) return read_header();
    ErrorCode ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    forget_();
  }

  beast::tcp_stream stream_;
  const HttpConfig& config_;
  HttpPage& page_;
  Upgrade upgrade_;
  Ask ask_;
  std::function<void()> forget_;
  std::function<void()> next_phase_;
  beast::flat_buffer buffer_{kMaxHttpHeaderBytes + kMaxHttpBodyBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<RpcRequest> call_;
  std::optional<HttpResponse> response_;
  Phase phase_ = Phase::header;
  std::uint64_t phase_number_ = 0;
  std::uint64_t requests_ = 0;
  bool closing_ = false;
  bool asking_ = false;  // the node; nothing else is under way
};

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpConfig& config, EventLog& log)
      : config_{config},
        log_{log},
        heads_{log},
        page_{board_, log, HostNames{config.names, config.listen.ip}, config.files,
              config.parse_peer},
        line_{io_, page_.counters().node, config.patience},
        acceptor_{io_, config.listen, "http"} {
    acceptor_.start([this](tcp::socket socket) { take(std::move(socket)); },
                    [this] { ++page_.counters().accept_errors; });
    thread_ = std::thread{[this] { io_.run(); }};
    watcher_.emplace(log, [this] {
      if (!woken_.exchange(true)) asio::post(io_, [this] { tell_sockets(); });
    });
  }
  ~Impl() {
    watcher_.reset();
    asio::post(io_, [this] {
      acceptor_.close();
      for (auto it = connections_.begin(); it != connections_.end();) (it++)->second.close();
      for (auto& [id, socket] : sockets_) socket->close();
      sockets_.clear();
      line_.close();
    });
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void connect(PutToNode put) {
    asio::post(io_, [this, to = std::move(put)]() mutable { line_.connect(std::move(to)); });
  }
  void disconnect() {
    std::promise<void> done;
    asio::post(io_, [&] {
      line_.close();
      done.set_value();
    });
    done.get_future().wait();
  }
  void publish(SnapshotBoard::Snapshot snapshot) { board_.publish(std::move(snapshot)); }
  void drain() {
    asio::post(io_, [this] { page_.drain(); });
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.port(); }

 private:
  void take(tcp::socket socket) {
    make_room();
    ErrorCode ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::send_buffer_size(int{kMaxHttpSendBuffer}), ignored);
    const std::uint64_t id = ++last_id_;
    const auto [it, fresh] = connections_.try_emplace(
        id, std::move(socket), config_, page_,
        [this](beast::tcp_stream stream, const HttpRequest& request) {
          upgrade(std::move(stream), request);
        },
        [this, id](std::vector<node::Query> queries) { ask(id, std::move(queries)); },
        [this, id] { forget(id); });
    Connection& connection = it->second;
    connection.on_phase([this, &connection] { connection.set_phase_number(++last_phase_); });
    count_connections();
    connection.start();
  }

  // Who asked may have gone when the answers come.
  void ask(std::uint64_t id, std::vector<node::Query> queries) {
    line_.ask(std::move(queries), [this, id](const NodeAnswers& answers) {
      const auto it = connections_.find(id);
      if (it != connections_.end()) it->second.on_answers(answers);
    });
  }

  void upgrade(beast::tcp_stream stream, const HttpRequest& request) {
    if (sockets_.size() >= kMaxWebSockets) {
      ++page_.counters().sockets_evicted;
      sockets_.begin()->second->close();
      sockets_.erase(sockets_.begin());
    }
    const std::uint64_t id = ++last_id_;
    const auto [it, fresh] = sockets_.emplace(
        id, std::make_shared<WebSocket>(
                std::move(stream), config_, page_, line_,
                std::make_unique<Subscriptions>(log_, heads_, page_.counters().subscriptions),
                [this, id] { forget_socket(id); }));
    it->second->start(request);
  }

  void tell_sockets() {
    woken_ = false;
    heads_.update();
    if (page_.counters().subscriptions.open == 0) return heads_.skip();
    ask_head();
    advance_sockets();
  }
  void ask_head() {
    const auto hash = heads_.ask();
    if (!hash) return;
    line_.ask({node::BlockQuery{*hash}}, [this](const NodeAnswers& answers) {
      const bool known = !answers.empty() && std::holds_alternative<node::BlockAnswer>(answers[0]);
      heads_.tell(known ? header_json(std::get<node::BlockAnswer>(answers[0])) : std::string{});
      advance_sockets();
      ask_head();
    });
  }
  void advance_sockets() {
    for (auto& [id, socket] : sockets_) socket->advance();
  }

  void forget(std::uint64_t id) {
    connections_.erase(id);
    count_connections();
  }
  void forget_socket(std::uint64_t id) {
    sockets_.erase(id);
    count_connections();
  }
  void count_connections() {
    page_.set_connections(connections_.size() + sockets_.size(), sockets_.size());
  }

  void make_room() {
    std::size_t open = sockets_.size();
    Connection* oldest = nullptr;
    for (auto& [id, connection] : connections_) {
      if (connection.is_closing()) continue;
      ++open;
      if (oldest == nullptr || connection.phase_number() < oldest->phase_number()) {
        oldest = &connection;
      }
    }
    if (open < kMaxHttpConnections || oldest == nullptr) return;
    ++page_.counters().evicted;
    oldest->close();
  }

  HttpConfig config_;
  EventLog& log_;
  SnapshotBoard board_;
  HeadFeed heads_;
  HttpPage page_;
  asio::io_context io_{1};
  NodeLine line_;
  TcpAcceptor acceptor_;
  std::map<std::uint64_t, Connection> connections_;
  std::map<std::uint64_t, std::shared_ptr<WebSocket>> sockets_;  // the oldest first
  std::uint64_t last_id_ = 0;
  std::uint64_t last_phase_ = 0;
  std::atomic<bool> woken_{false};
  std::thread thread_;
  std::optional<LogWatcher> watcher_;
};

HttpServer::HttpServer(const HttpConfig& config, EventLog& log)
    : impl_{std::make_unique<Impl>(config, log)} {}
HttpServer::~HttpServer() = default;
void HttpServer::connect(PutToNode put) { impl_->connect(std::move(put)); }
void HttpServer::disconnect() { impl_->disconnect(); }
void HttpServer::publish(SnapshotBoard::Snapshot snapshot) { impl_->publish(std::move(snapshot)); }
void HttpServer::drain() { impl_->drain(); }
std::uint16_t HttpServer::port() const { return impl_->port(); }

}  // namespace ethnet::observe
