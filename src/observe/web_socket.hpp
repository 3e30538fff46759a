// One WebSocket (RFC 6455) of the HTTP listener: JSON-RPC in text messages, and subscriptions.
//
// One message is under way at a time, an answer before a notification, and the next call is read
// when the answer to the last one has gone: who does not read is not read either, and holds one
// message of ours. Ended are: a message that is larger than kMaxWebSocketMessageBytes (close code
// 1009), a binary one (1003), one that is no UTF-8 (1007), who does not answer pings, and who does
// not take a message in time. No compression: it would cost memory for each connection, and time.
// Threading: that of the io_context. Each operation keeps the object alive until it has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "http_page.hpp"
#include "http_server.hpp"
#include "subscriptions.hpp"

namespace ethnet::observe {

class WebSocket : public std::enable_shared_from_this<WebSocket> {
 public:
  using Stream = boost::beast::tcp_stream;

  // `forget` is called once, when it has ended, and not after close().
  WebSocket(Stream stream, const HttpConfig& config, HttpPage& page, NodeLine& line,
            std::unique_ptr<Subscriptions> subscriptions, std::function<void()> forget);

  // Answers the request that asked for it; the page has judged that already.
  void start(const HttpRequest& request);
  // There may be something new to tell.
  void advance();
  // At once, without a word.
  void close();

 private:
  using ErrorCode = boost::system::error_code;

  void on_accepted(ErrorCode error);
  void read();
  void on_read(ErrorCode error);
  void answer(const RpcRequest& message, std::span<const node::Answer> answers);
  void write(std::string text);
  void on_written(ErrorCode error);
  void on_write_timeout(std::uint64_t write_number);
  void refuse_binary();
  void end();

  boost::beast::websocket::stream<Stream> stream_;
  const HttpConfig& config_;
  HttpPage& page_;
  NodeLine& line_;
  std::unique_ptr<Subscriptions> subscriptions_;
  std::function<void()> forget_;
  // Room is asked for before it is known that no more comes; without any there is no close code.
  boost::beast::flat_buffer in_{2 * kMaxWebSocketMessageBytes};
  std::string out_;  // the message under way
  boost::asio::steady_timer deadline_;
  std::optional<std::string> answer_;  // goes next
  bool open_ = false;
  bool writing_ = false;
  bool answering_ = false;  // what is under way is an answer
  bool closing_ = false;
  bool ended_ = false;
  std::uint64_t writes_ = 0;
};

}  // namespace ethnet::observe
