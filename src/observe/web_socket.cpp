#include "web_socket.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

namespace ethnet::observe {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

namespace {

std::chrono::nanoseconds to_chrono(Duration d) { return std::chrono::nanoseconds{d.ns}; }

}  // namespace

WebSocket::WebSocket(Stream stream, const HttpConfig& config, HttpPage& page, NodeLine& line,
                     std::unique_ptr<Subscriptions> subscriptions, std::function<void()> forget)
    : stream_{std::move(stream)},
      config_{config},
      page_{page},
      line_{line},
      subscriptions_{std::move(subscriptions)},
      forget_{std::move(forget)},
      deadline_{stream_.get_executor()} {}

void WebSocket::start(const HttpRequest& request) {
  beast::get_lowest_layer(stream_).expires_never();
  websocket::stream_base::timeout times{};
  times.handshake_timeout = to_chrono(config_.header_time);
  times.idle_timeout = to_chrono(config_.silence);
  times.keep_alive_pings = true;
  stream_.set_option(times);
  stream_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
    response.set(beast::http::field::server, "MiniEthNet");
  }));
  stream_.read_message_max(kMaxWebSocketMessageBytes);
  stream_.auto_fragment(false);
  stream_.text(true);
  stream_.async_accept(request,
                       [self = shared_from_this()](ErrorCode error) { self->on_accepted(error); });
}

void WebSocket::on_accepted(ErrorCode error) {
  if (error) {
    if (!ended_) page_.count(Refusal::bad_request);
    return end();
  }
  open_ = true;
  ++page_.counters().sockets_opened;
  read();
}

void WebSocket::advance() {
  if (!open_ || writing_ || closing_ || ended_) return;
  answering_ = answer_.has_value();
  std::string text = answer_ ? *std::exchange(answer_, std::nullopt) : subscriptions_->next();
  if (!text.empty()) write(std::move(text));
}

void WebSocket::close() {
  ended_ = true;
  deadline_.cancel();
  beast::get_lowest_layer(stream_).close();
}

void WebSocket::read() {
  in_.clear();
  stream_.async_read(
      in_, [self = shared_from_this()](ErrorCode error, std::size_t) { self->on_read(error); });
}

void WebSocket::on_read(ErrorCode error) {
  if (ended_) return;
  if (error) {
    if (error == websocket::error::message_too_big) {
      page_.count(Refusal::message_too_large);
    } else if (error == websocket::error::bad_frame_payload) {
      page_.count(Refusal::bad_request);
    } else if (error == beast::error::timeout) {
      page_.count(Refusal::silent);
    }
    return end();
  }
  if (closing_) return;
  if (stream_.got_binary()) return refuse_binary();
  const auto message =
      std::make_shared<RpcRequest>(page_.read_message(beast::buffers_to_string(in_.cdata())));
  if (message->queries().empty()) return answer(*message, {});
  line_.ask(message->queries(), [self = shared_from_this(), message](const NodeAnswers& answers) {
    if (!self->ended_) self->answer(*message, answers);
  });
}

void WebSocket::answer(const RpcRequest& message, std::span<const node::Answer> answers) {
  std::string text = page_.answer_message(message, *subscriptions_, answers);
  if (text.empty()) return read();
  answer_ = std::move(text);
  advance();
}

void WebSocket::write(std::string text) {
  out_ = std::move(text);
  writing_ = true;
  const std::uint64_t number = ++writes_;
  deadline_.expires_after(to_chrono(config_.write_time));
  deadline_.async_wait([self = shared_from_this(), number](ErrorCode error) {
    if (!error) self->on_write_timeout(number);
  });
  stream_.async_write(
      asio::buffer(out_),
      [self = shared_from_this()](ErrorCode error, std::size_t) { self->on_written(error); });
}

void WebSocket::on_written(ErrorCode error) {
  writing_ = false;
  deadline_.cancel();
  if (ended_) return;
  if (error) return end();
  out_ = {};
  if (std::exchange(answering_, false) && !closing_) read();
  advance();
}

void WebSocket::on_write_timeout(std::uint64_t write_number) {
  if (ended_ || !writing_ || write_number != writes_) return;
  page_.count(Refusal::write_timeout);
  end();
}

void WebSocket::refuse_binary() {
  page_.count(Refusal::binary_message);
  closing_ = true;
  stream_.async_close({websocket::close_code::unknown_data, "JSON-RPC is text"},
                      [self = shared_from_this()](ErrorCode) { self->end(); });
}

void WebSocket::end() {
  if (ended_) return;
  close();
  forget_();
}

}  // namespace ethnet::observe
