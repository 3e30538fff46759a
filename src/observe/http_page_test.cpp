// What is answered to whom, without sockets.
#include "http_page.hpp"

#include <gtest/gtest.h>

#include "event_log.hpp"
#include "static_files.hpp"
#include "testing/exposition.hpp"

namespace ethnet::observe {

// Of testing/page, and of a folder that is not there.
StaticFiles fixture_page();
StaticFiles empty_page();

namespace {

namespace http = boost::beast::http;

class Page : public ::testing::Test {
 protected:
  Page() {
    node::NodeSnapshot snapshot;
    snapshot.head_number = 7;
    snapshot.chain_id = 7;
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
  HttpPage page_{board_, log_, HostNames{{"Node.Example"}}};
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
  HttpPage any{board_, log_, HostNames{{"*"}}};
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
    out.body() = R"({"jsonrpc":"2.0","id":1,"method":"net_version"})";
    return page_.answer(out);
  };
  for (const std::string_view type :
       {"application/json", "Application/JSON", "application/json; charset=utf-8"}) {
    const HttpResponse answer = post(type);
    EXPECT_EQ(answer.result(), http::status::ok);
    EXPECT_EQ(answer[http::field::content_type], "application/json");
    EXPECT_EQ(answer.body(), R"({"id":1,"jsonrpc":"2.0","result":"7"})");
  }
  for (const std::string_view type : {"text/plain", "", "application/jsonx", "application/x"}) {
    EXPECT_EQ(post(type).result(), http::status::unsupported_media_type) << type;
  }
  EXPECT_EQ(refused(Refusal::media_type), 4U);
  HttpRequest note = request("/", "localhost", http::verb::post);
  note.set(http::field::content_type, "application/json");
  note.body() = R"({"jsonrpc":"2.0","method":"net_version"})";
  EXPECT_EQ(page_.answer(note).result(), http::status::no_content);
  EXPECT_NE(get("/").body().find("POST /"), std::string::npos);
}

TEST_F(Page, ABrowserGetsThePageAndWhatItNeedsAndAScriptGetsTheText) {
  HttpPage page{board_, log_, {}, fixture_page()};
  HttpRequest browser = request("/");
  browser.set(http::field::accept, "text/html,application/xhtml+xml,*/*;q=0.8");
  const HttpResponse index = page.answer(browser);
  EXPECT_EQ(index.result(), http::status::ok);
  EXPECT_EQ(index[http::field::content_type], "text/html; charset=utf-8");
  EXPECT_EQ(index[http::field::cache_control], "no-store");
  EXPECT_EQ(index[http::field::vary], "Accept");
  EXPECT_TRUE(index.body().starts_with("<!doctype html>\n")) << index.body();
  EXPECT_TRUE(index.body().ends_with("</script>\n")) << "whole";
  const HttpResponse script = page.answer(request("/assets/app-1f2e.js?x=1"));
  EXPECT_EQ(script[http::field::content_type], "text/javascript; charset=utf-8");
  EXPECT_EQ(script[http::field::cache_control], "public, max-age=31536000, immutable");
  EXPECT_EQ(script.body(), "document.title = \"fixture\";\n");
  const HttpResponse icon = page.answer(request("/favicon.svg"));
  EXPECT_EQ(icon[http::field::content_type], "image/svg+xml");
  EXPECT_EQ(icon[http::field::cache_control], "no-store") << "its name stays when it changes";
  for (const std::string_view accept : {"*/*", "", "application/json"}) {
    HttpRequest tool = request("/");
    tool.set(http::field::accept, accept);
    EXPECT_TRUE(page.answer(tool).body().starts_with("MiniEthNet\n")) << accept;
  }
  HttpRequest head = request("/assets/app-1f2e.js", "localhost", http::verb::head);
  EXPECT_EQ(page.answer(head)[http::field::content_length], "28");
}

TEST_F(Page, ABuildWithoutAPageSaysHowToMakeOne) {
  EXPECT_TRUE(empty_page().empty());
  HttpPage page{board_, log_, {}, empty_page()};
  HttpRequest browser = request("/");
  browser.set(http::field::accept, "text/html");
  const HttpResponse answer = page.answer(browser);
  EXPECT_EQ(answer[http::field::content_type], "text/plain; charset=utf-8");
  EXPECT_NE(answer.body().find("./dev web"), std::string::npos);
  HttpPage with{board_, log_, {}, fixture_page()};
  EXPECT_EQ(with.answer(request("/")).body().find("./dev web"), std::string::npos);
}

TEST_F(Page, atk_A6_FilesAreGivenByTheirNameAloneToWhomWeAnswer) {
  HttpPage page{board_, log_, {}, fixture_page()};
  EXPECT_EQ(fixture_page().size(), 3U);
  for (const std::string_view path :
       {"/assets", "/assets/", "/assets/../index.html", "/assets/app-1f2e.jS", "//favicon.svg",
        "/favicon.svg/", "/assets%2fapp-1f2e.js", "/../CMakeLists.txt"}) {
    EXPECT_EQ(page.answer(request(path)).result(), http::status::not_found) << path;
  }
  EXPECT_EQ(page.answer(request("/favicon.svg", "evil.example")).result(), http::status::forbidden);
  const HttpRequest post = request("/favicon.svg", "localhost", http::verb::post);
  EXPECT_EQ(page.answer(post).result(), http::status::method_not_allowed);
}

TEST_F(Page, atk_A6_ThePageMayRunItsOwnScriptsAloneAndCallNobodyElse) {
  HttpPage page{board_, log_, {}, fixture_page()};
  HttpRequest browser = request("/");
  browser.set(http::field::accept, "text/html");
  for (const HttpResponse& answer :
       {page.answer(browser), page.answer(request("/assets/app-1f2e.js"))}) {
    EXPECT_EQ(answer["Content-Security-Policy"],
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
              "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
              "frame-ancestors 'none'");
    EXPECT_EQ(answer["X-Content-Type-Options"], "nosniff");
    EXPECT_EQ(answer["X-Frame-Options"], "DENY");
    EXPECT_EQ(answer["Cross-Origin-Resource-Policy"], "same-origin");
  }
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
