// WebSockets of the HTTP listener on real sockets of this machine, by Boost.Beast's own client.
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "event_log.hpp"
#include "http_server.hpp"
#include "subscriptions.hpp"

namespace ethnet::observe {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Json = nlohmann::json;

std::string call(const std::string& method, const std::string& params = "[]") {
  return R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}";
}

// One that is open, or was refused.
class Client {
 public:
  struct Wish {
    std::string host = "localhost";
    std::string origin{};
    std::string path = "/";
    int receive_buffer = 0;  // bytes; 0: as it is
  };

  explicit Client(std::uint16_t port) : Client{port, Wish{}} {}
  Client(std::uint16_t port, const Wish& wish) {
    tcp::socket& socket = stream_.next_layer();
    socket.open(tcp::v4());
    if (wish.receive_buffer > 0) {
      socket.set_option(asio::socket_base::receive_buffer_size{wish.receive_buffer});
    }
    socket.connect({asio::ip::address_v4::loopback(), port});
    stream_.set_option(websocket::stream_base::decorator([&wish](websocket::request_type& r) {
      if (!wish.origin.empty()) r.set(http::field::origin, wish.origin);
      r.set(http::field::sec_websocket_extensions, "permessage-deflate");
    }));
    stream_.handshake(response_, wish.host, wish.path, error_);
  }

  [[nodiscard]] unsigned status() const { return response_.result_int(); }
  [[nodiscard]] const websocket::response_type& response() const { return response_; }
  void send(const std::string& text) { stream_.write(asio::buffer(text)); }
  void send_binary(const std::string& bytes) {
    stream_.binary(true);
    stream_.write(asio::buffer(bytes));
  }
  // Null: it was closed.
  Json read() {
    beast::flat_buffer buffer;
    stream_.read(buffer, error_);
    if (error_) return nullptr;
    return Json::parse(beast::buffers_to_string(buffer.cdata()));
  }
  Json ask(const std::string& text) {
    send(text);
    return read();
  }
  // The name of a new subscription.
  std::string subscribe(const std::string& params) {
    return ask(call("eth_subscribe", params))["result"];
  }
  // What the next notification says.
  Json told() { return read()["params"]["result"]; }
  // Until the other side has ended it: the code that it gave, 0 where it gave none.
  int closed_by() {
    while (read() != nullptr) {
    }
    return stream_.reason().code;
  }
  // As much of it as the other side takes.
  void send_one_frame(const std::string& text) {
    stream_.auto_fragment(false);
    stream_.write(asio::buffer(text), error_);
  }

 private:
  asio::io_context io_;
  websocket::stream<tcp::socket> stream_{io_};
  websocket::response_type response_;
  ErrorCode error_;
};

class WebSockets : public ::testing::Test {
 protected:
  void listen(const HttpConfig& config) {
    server.reset();
    server = std::make_unique<HttpServer>(config, log);
    auto snapshot = std::make_shared<node::NodeSnapshot>();
    snapshot->chain_id = 1337;
    while (!published(snapshot)) {
    }
  }
  void SetUp() override { listen(config()); }
  static HttpConfig config() { return {.listen = {IpAddress::loopback_v4(), 0}}; }

  bool published(const std::shared_ptr<node::NodeSnapshot>& snapshot) {
    server->publish(snapshot);
    return get("/ready").result() == http::status::ok;
  }
  http::response<http::string_body> get(const std::string& path) {
    asio::io_context io;
    tcp::socket socket{io};
    socket.connect({asio::ip::address_v4::loopback(), server->port()});
    http::request<http::empty_body> request{http::verb::get, path, 11};
    request.set(http::field::host, "localhost");
    http::write(socket, request);
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(socket, buffer, response);
    return response;
  }
  std::uint64_t metric(const std::string& series) {
    const std::string page = get("/metrics").body();
    const std::size_t at = page.find("\n" + series + " ");
    EXPECT_NE(at, std::string::npos) << series;
    return at == std::string::npos ? 0 : std::stoull(page.substr(at + series.size() + 2));
  }
  std::uint64_t refused(const std::string& reason) {
    return metric("ethnet_http_refused_total{reason=\"" + reason + "\"}");
  }
  void head(std::uint64_t number) { log.append({}, node::HeadMoved{.hash = {}, .number = number}); }

  EventLog log;
  std::unique_ptr<HttpServer> server;
};

TEST_F(WebSockets, ACallABatchAndWhatIsNoneAreAnsweredAsOverPost) {
  Client client{server->port()};
  EXPECT_EQ(client.status(), 101U);
  EXPECT_EQ(client.response()[http::field::server], "MiniEthNet");
  EXPECT_EQ(client.response().count(http::field::sec_websocket_extensions), 0U) << "no compression";
  EXPECT_EQ(client.ask(call("eth_chainId"))["result"], "0x539");
  EXPECT_EQ(client.ask("[" + call("net_version") + "," + call("none") + "]")[1]["error"]["code"],
            -32601);
  EXPECT_EQ(client.ask("{")["error"]["code"], -32700);
  client.send(R"({"jsonrpc":"2.0","method":"net_version"})");
  EXPECT_EQ(client.ask(call("ethscope_summary"))["result"]["chain_id"], 1337)
      << "a notification has no answer, and the next call has";
}

TEST_F(WebSockets, SubscriptionsAreToldWhatComesUntilTheyEnd) {
  Client client{server->port()};
  EXPECT_EQ(client.subscribe(R"(["newHeads"])"), "0x1");
  head(7);
  EXPECT_EQ(client.told()["number"], "0x7");
  EXPECT_EQ(client.ask(call("eth_unsubscribe", R"(["0x1"])"))["result"], true);
  EXPECT_EQ(client.ask(call("eth_unsubscribe", R"(["0x1"])"))["result"], false);
  EXPECT_EQ(client.subscribe(R"(["reorgs"])"), "0x2");
  head(8);
  log.append({}, node::Reorganised{.old_head = {},
                                   .new_head = {},
                                   .fork_point = {},
                                   .height = 9,
                                   .removed = {Hash32{}},
                                   .added = {Hash32{}, Hash32{}},
                                   .cause = "longer"});
  const Json note = client.read();
  EXPECT_EQ(note["method"], "eth_subscription");
  EXPECT_EQ(note["params"]["subscription"], "0x2");
  EXPECT_EQ(note["params"]["result"]["reorg"]["added_count"], 2);
  EXPECT_EQ(client.ask(call("eth_unsubscribe", R"(["0x2"])"))["result"], true);
  EXPECT_EQ(client.subscribe(R"(["events",{"after":1}])"), "0x3");
  EXPECT_EQ(client.told()["canonical_head"]["head"]["number"], 8);
  EXPECT_EQ(client.told()["cursor"], 3);
  log.append({}, node::SessionUp{});
  EXPECT_EQ(client.told()["cursor"], 4);
}

TEST_F(WebSockets, WhatCannotBeSubscribedToIsSaid) {
  Client client{server->port()};
  for (const std::string params :
       {"[]", "{}", "[5]", R"(["logs"])", R"(["newHeads",{}])", R"(["events",5])",
        R"(["events",{"after":-1}])", R"(["events",{"after":"1"}])", R"(["events",{"since":1}])",
        R"(["events",{"after":1,"x":1}])", R"(["events",{"after":1},1])", R"({"a":"events"})"}) {
    EXPECT_EQ(client.ask(call("eth_subscribe", params))["error"]["code"], -32602) << params;
  }
  for (const std::string params : {"[]", "[1]", R"(["0x1","0x2"])"}) {
    EXPECT_EQ(client.ask(call("eth_unsubscribe", params))["error"]["code"], -32602) << params;
  }
  EXPECT_EQ(metric("ethnet_http_subscriptions"), 0U);
}

TEST_F(WebSockets, atk_A6_ASeventeenthSubscriptionIsRefusedAndTheOthersGoOn) {
  Client client{server->port()};
  for (std::size_t i = 0; i < kMaxSubscriptions; ++i) client.subscribe(R"(["newHeads"])");
  EXPECT_EQ(client.ask(call("eth_subscribe", R"(["newHeads"])"))["error"]["code"], -32005);
  EXPECT_EQ(metric("ethnet_http_subscriptions"), kMaxSubscriptions);
  EXPECT_EQ(metric("ethnet_http_subscriptions_refused_total"), 1U);
  head(1);
  for (std::size_t i = 0; i < kMaxSubscriptions; ++i) EXPECT_EQ(client.told()["number"], "0x1");
}

TEST_F(WebSockets, atk_A6_APageOfAnotherOriginOrUnderAnotherNameOpensNone) {
  const std::string ours = fmt::format("localhost:{}", server->port());
  EXPECT_EQ((Client{server->port(), {.host = ours, .origin = "http://" + ours}}.status()), 101U);
  for (const std::string origin : {"http://evil.example", "null", "https://localhost"}) {
    EXPECT_EQ((Client{server->port(), {.origin = origin}}.status()), 403U) << origin;
  }
  EXPECT_EQ(refused("origin_not_allowed"), 3U);
  EXPECT_EQ((Client{server->port(), {.host = "evil.example"}}.status()), 403U);
  EXPECT_EQ(refused("host_not_allowed"), 1U);
  EXPECT_EQ((Client{server->port(), {.path = "/metrics"}}.status()), 200U)
      << "the page, no upgrade";
  EXPECT_EQ(metric("ethnet_http_sockets_opened_total"), 1U);
}

TEST_F(WebSockets, atk_A6_WhatIsNotTextOrTooLargeEndsItWithACode) {
  Client binary{server->port()};
  binary.send_binary(call("eth_chainId"));
  EXPECT_EQ(binary.closed_by(), 1003);
  EXPECT_EQ(refused("binary_message"), 1U);
  Client fits{server->port()};
  EXPECT_EQ(fits.ask(std::string(kMaxWebSocketMessageBytes, ' '))["error"]["code"], -32700);
  Client large{server->port()};
  large.send(std::string(kMaxWebSocketMessageBytes + 1, ' '));  // in frames of 4 KiB
  EXPECT_EQ(large.closed_by(), 1009);
  // One frame is refused at its header, while the rest of it is still on its way: then what was
  // said last may be lost.
  Client at_once{server->port()};
  at_once.send_one_frame(std::string(16 * kMaxWebSocketMessageBytes, ' '));
  at_once.closed_by();
  while (refused("message_too_large") < 2) {
  }
  Client garbled{server->port()};
  garbled.send("\xff\xfe");
  EXPECT_EQ(garbled.closed_by(), 1007);
}

TEST_F(WebSockets, atk_A6_WhoSpeaksBeforeOurAnswerOrWithoutAKeyIsRefused) {
  const std::string head =
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\n";
  const std::string key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
  std::uint64_t count = 0;
  for (const std::string& text : {head + key + "\r\n\x81\x80", head + "\r\n"}) {
    asio::io_context io;
    tcp::socket socket{io};
    socket.connect({asio::ip::address_v4::loopback(), server->port()});
    asio::write(socket, asio::buffer(text));
    std::string answer;
    ErrorCode until_closed;
    asio::read(socket, asio::dynamic_buffer(answer), until_closed);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    EXPECT_EQ(refused("bad_request"), ++count);
  }
}

TEST_F(WebSockets, atk_A6_OneMoreThanThereMayBeTakesTheOldestsPlace) {
  std::vector<std::unique_ptr<Client>> open;
  for (std::size_t i = 0; i < kMaxWebSockets; ++i) {
    open.push_back(std::make_unique<Client>(server->port()));
    open.back()->subscribe(R"(["newHeads"])");
  }
  EXPECT_EQ(metric("ethnet_http_sockets"), kMaxWebSockets);
  Client more{server->port()};
  EXPECT_EQ(more.ask(call("eth_chainId"))["result"], "0x539");
  EXPECT_EQ(open.front()->closed_by(), 0) << "without a word";
  EXPECT_EQ(metric("ethnet_http_sockets_evicted_total"), 1U);
  EXPECT_EQ(metric("ethnet_http_sockets"), kMaxWebSockets);
  head(1);
  for (std::size_t i = 1; i < open.size(); ++i) EXPECT_EQ(open[i]->told()["number"], "0x1");
}

TEST_F(WebSockets, atk_A6_RequestsDoNotPushOutAQuietWebSocketNorItThem) {
  Client quiet{server->port()};
  quiet.subscribe(R"(["newHeads"])");
  asio::io_context io;
  std::vector<tcp::socket> held;
  for (std::size_t i = 0; i < 2 * kMaxHttpConnections; ++i) {
    held.emplace_back(io).connect({asio::ip::address_v4::loopback(), server->port()});
  }
  EXPECT_EQ(get("/health").result(), http::status::ok);
  EXPECT_GE(metric("ethnet_http_evicted_total"), kMaxHttpConnections);
  EXPECT_LE(metric("ethnet_http_connections"), kMaxHttpConnections);
  EXPECT_EQ(metric("ethnet_http_sockets"), 1U);
  head(1);
  EXPECT_EQ(quiet.told()["number"], "0x1");
}

TEST_F(WebSockets, atk_A6_AReaderThatStallsSeesAGapAndTheOthersMissNothing) {
  HttpConfig patient = config();
  patient.write_time = seconds(600);
  listen(patient);
  Client stalled{server->port(), {.receive_buffer = 4096}};
  Client reading{server->port()};
  stalled.subscribe(R"(["events",{"after":0}])");
  stalled.subscribe(R"(["newHeads"])");
  reading.subscribe(R"(["events",{"after":0}])");
  // More than the log and the stalled connection's buffers hold.
  const std::string reason(8192, 'x');
  std::uint64_t sent = 0;
  while (sent < 2 * kMaxLoggedBytes / reason.size()) {
    log.append({}, node::SessionDown{.peer = {}, .reason = reason, .by_peer = true});
    head(sent);
    sent += 2;
    ASSERT_EQ(reading.told()["cursor"], sent - 1);
    ASSERT_EQ(reading.told()["cursor"], sent);
  }
  std::uint64_t seen = 0;
  std::uint64_t missed = 0;
  std::uint64_t heads = 0;
  std::string newest;
  for (std::uint64_t cursor = 0; cursor < sent;) {
    const Json got = stalled.told();
    if (got.contains("hash")) {
      newest = got["number"];
      ++heads;
      continue;
    }
    ASSERT_GT(got["cursor"], cursor);
    if (got.contains("gap")) {
      missed += got["gap"]["missed"].get<std::uint64_t>();
      EXPECT_EQ(got["cursor"], cursor + got["gap"]["missed"].get<std::uint64_t>());
    } else {
      ++seen;
      EXPECT_EQ(got["cursor"], cursor + 1);
    }
    cursor = got["cursor"];
  }
  EXPECT_GT(missed, 0U);
  EXPECT_EQ(seen + missed, sent);
  EXPECT_EQ(metric("ethnet_http_events_missed_total"), missed);
  EXPECT_EQ(newest, fmt::format("{:#x}", sent - 2)) << "of heads it has the newest";
  EXPECT_LT(heads, sent / 4) << "and not those that it was too slow for";
}

TEST_F(WebSockets, atk_A6_WhoDoesNotTakeAMessageInTimeIsEnded) {
  HttpConfig impatient = config();
  impatient.write_time = milliseconds(500);
  listen(impatient);
  Client stalled{server->port(), {.receive_buffer = 4096}};
  stalled.subscribe(R"(["events",{"after":0}])");
  const std::string reason(256 * 1024, 'x');
  for (int i = 0; i < 40; ++i) log.append({}, node::SessionDown{.peer = {}, .reason = reason});
  while (metric("ethnet_http_sockets") > 0) {
  }
  EXPECT_EQ(refused("write_timeout"), 1U);
}

TEST_F(WebSockets, atk_A6_WhoAnswersNoPingIsEnded) {
  HttpConfig impatient = config();
  impatient.silence = milliseconds(200);
  listen(impatient);
  const Client silent{server->port()};  // it reads nothing, so that it answers nothing
  while (metric("ethnet_http_sockets_opened_total") == 0) {
  }
  while (metric("ethnet_http_sockets") > 0) {
  }
  EXPECT_EQ(refused("silent"), 1U);
}

TEST_F(WebSockets, TheyEndWithTheServer) {
  Client client{server->port()};
  client.subscribe(R"(["events"])");
  server.reset();
  EXPECT_EQ(client.read(), nullptr);
}

}  // namespace
}  // namespace ethnet::observe
