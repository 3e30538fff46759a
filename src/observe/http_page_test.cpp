// What is answered to whom, without sockets.
#include "http_page.hpp"

#include <gtest/gtest.h>

#include "event_log.hpp"
#include "testing/exposition.hpp"

namespace ethnet::observe {
namespace {

namespace http = boost::beast::http;

class Page : public ::testing::Test {
 protected:
  Page() {
    node::NodeSnapshot snapshot;
    snapshot.head_number = 7;
    board_.publish(std::make_shared<const node::NodeSnapshot>(snapshot));
  }
  static HttpRequest request(std::string_view target, std::string_view host = "localhost:12001",
                             http::verb method = http::verb::get) {
    HttpRequest out{method, target, 11};
    out.set(http::field::host, host);
    return out;
  }
  HttpResponse get(std::string_view target, std::string_view host = "localhost:12001") {
    return page_.answer(request(target, host));
  }
  std::uint64_t refused(Refusal refusal) {
    return page_.counters().refused[static_cast<std::size_t>(refusal)];
  }

  SnapshotBoard board_;
  EventLog log_;
  HttpPage page_{board_, log_, {"Node.Example"}};
};

TEST_F(Page, TheMetricsAreAtBothPathsWithTheirType) {
  for (const std::string_view path : {"/metrics", "/debug/metrics/prometheus", "/metrics?x=1"}) {
    const HttpResponse answer = get(path);
    EXPECT_EQ(answer.result(), http::status::ok);
    EXPECT_EQ(answer[http::field::content_type], "text/plain; version=0.0.4; charset=utf-8");
    const auto page = testing::read_exposition(answer.body());
    EXPECT_EQ(page.problem, "");
    EXPECT_EQ(page.value.at("chain_head_header"), 7U);
    for (const auto& [metric, help] : page.help) {
      EXPECT_EQ(help.find("no text yet"), std::string::npos) << metric;
    }
  }
}

TEST_F(Page, HealthIsThatItAnswersAndReadyThatItListensAndDoesNotDrain) {
  EXPECT_EQ(get("/health").result(), http::status::ok);
  EXPECT_EQ(get("/ready").result(), http::status::ok);
  page_.drain();
  EXPECT_EQ(get("/health").result(), http::status::ok);
  EXPECT_EQ(get("/ready").result(), http::status::service_unavailable);
  EXPECT_EQ(get("/ready").body(), "draining\n");
  const SnapshotBoard empty;
  HttpPage starting{empty, log_, {}};
  EXPECT_EQ(starting.answer(request("/ready")).body(), "starting\n");
  EXPECT_EQ(starting.answer(request("/metrics")).result(), http::status::service_unavailable);
  EXPECT_EQ(starting.answer(request("/health")).result(), http::status::ok);
}

TEST_F(Page, atk_A6_OnlyWhoCallsUsByANameOfOursIsAnswered) {
  for (const std::string_view host : {"localhost", "LOCALHOST:1", "127.0.0.1:12001", "[::1]",
                                      "[::1]:12001", "node.example:80", "NODE.EXAMPLE"}) {
    EXPECT_EQ(get("/metrics", host).result(), http::status::ok) << host;
  }
  std::uint64_t count = 0;
  for (const std::string_view host :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost:80x", "[::1",
        "::1", "", "127.0.0.2", "node.example.", "localhost:1:2", "user@localhost", "*"}) {
    for (const std::string_view path : {"/metrics", "/health", "/none"}) {
      const HttpResponse answer = get(path, host);
      EXPECT_EQ(answer.result(), http::status::forbidden) << host;
      EXPECT_NE(answer.body().find("\"host_not_allowed\""), std::string::npos);
      EXPECT_EQ(refused(Refusal::host_not_allowed), ++count);
    }
  }
  HttpRequest without{http::verb::get, "/metrics", 11};
  EXPECT_EQ(page_.answer(without).result(), http::status::bad_request);
  HttpRequest twice = request("/metrics");
  twice.insert(http::field::host, "localhost");
  EXPECT_EQ(page_.answer(twice).result(), http::status::bad_request);
  HttpPage any{board_, log_, {"*"}};
  EXPECT_EQ(any.answer(request("/metrics", "evil.example")).result(), http::status::ok);
}

TEST_F(Page, atk_A6_APageOfAnotherOriginIsRefusedAndNobodyIsAllowedCors) {
  HttpRequest ours = request("/metrics");
  ours.set(http::field::origin, "http://localhost:12001");
  EXPECT_EQ(page_.answer(ours).result(), http::status::ok);
  for (const std::string_view origin :
       {"http://evil.example", "null", "http://localhost:3000", "https://localhost:12001", ""}) {
    HttpRequest foreign = request("/metrics");
    foreign.set(http::field::origin, origin);
    EXPECT_EQ(page_.answer(foreign).result(), http::status::forbidden) << origin;
  }
  EXPECT_EQ(refused(Refusal::origin_not_allowed), 5U);
  EXPECT_EQ(page_.answer(ours).count(http::field::access_control_allow_origin), 0U);
}

TEST_F(Page, atk_A6_EveryAnswerCarriesTheSecurityHeaders) {
  for (const std::string_view path : {"/metrics", "/health", "/none"}) {
    const HttpResponse answer = get(path);
    EXPECT_EQ(answer["X-Content-Type-Options"], "nosniff");
    EXPECT_EQ(answer["X-Frame-Options"], "DENY");
    EXPECT_EQ(answer["Content-Security-Policy"], "default-src 'none'; frame-ancestors 'none'");
    EXPECT_EQ(answer[http::field::cache_control], "no-store");
    EXPECT_EQ(answer.count(http::field::server), 0U);
  }
}

TEST_F(Page, OtherPathsAndMethodsAreTypedErrorsAndCounted) {
  EXPECT_EQ(get("/none").result(), http::status::not_found);
  EXPECT_EQ(refused(Refusal::not_found), 1U);
  const HttpResponse put = page_.answer(request("/metrics", "localhost", http::verb::put));
  EXPECT_EQ(put.result(), http::status::method_not_allowed);
  EXPECT_EQ(put[http::field::allow], "GET, HEAD, POST");
  EXPECT_EQ(
      put.body(),
      "{\"error\":\"method_not_allowed\",\"message\":\"use GET or HEAD; POST is for / alone\"}\n");
  EXPECT_EQ(refused(Refusal::method_not_allowed), 1U);
  const auto page = testing::read_exposition(get("/metrics").body());
  EXPECT_EQ(page.value.at("ethnet_http_refused_total{reason=\"not_found\"}"), 1U);
  EXPECT_EQ(page.value.at("ethnet_http_requests_total"), 3U);
}

TEST_F(Page, atk_A6_JsonRpcIsCalledAsJsonAlone) {
  const auto post = [&](std::string_view type) {
    HttpRequest out = request("/", "localhost", http::verb::post);
    out.set(http::field::content_type, type);
    out.body() = R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"})";
    return page_.answer(out);
  };
  for (const std::string_view type :
       {"application/json", "Application/JSON", "application/json; charset=utf-8"}) {
    const HttpResponse answer = post(type);
    EXPECT_EQ(answer.result(), http::status::ok);
    EXPECT_EQ(answer[http::field::content_type], "application/json");
    EXPECT_EQ(answer.body(), R"({"id":1,"jsonrpc":"2.0","result":"0x7"})");
  }
  for (const std::string_view type : {"text/plain", "", "application/jsonx", "application/x"}) {
    EXPECT_EQ(post(type).result(), http::status::unsupported_media_type) << type;
  }
  EXPECT_EQ(refused(Refusal::media_type), 4U);
  HttpRequest note = request("/", "localhost", http::verb::post);
  note.set(http::field::content_type, "application/json");
  note.body() = R"({"jsonrpc":"2.0","method":"eth_blockNumber"})";
  EXPECT_EQ(page_.answer(note).result(), http::status::no_content);
  EXPECT_NE(get("/").body().find("POST /"), std::string::npos);
}

TEST_F(Page, HeadIsGetWithoutTheBody) {
  const HttpResponse head = page_.answer(request("/health", "localhost", http::verb::head));
  EXPECT_EQ(head.body(), "");
  EXPECT_EQ(head[http::field::content_length], "6");
}

// The node never waits for a reader: what cannot be published now is missed, and counted.
TEST(SnapshotBoard, ShowsTheNewest) {
  SnapshotBoard board;
  EXPECT_EQ(board.newest(), nullptr);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    auto snapshot = std::make_shared<node::NodeSnapshot>();
    snapshot->head_number = i;
    EXPECT_TRUE(board.publish(std::move(snapshot)));
    EXPECT_EQ(board.newest()->head_number, i);
  }
  EXPECT_EQ(board.missed(), 0U);
}

}  // namespace
}  // namespace ethnet::observe
