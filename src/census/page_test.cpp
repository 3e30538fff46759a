#include "page.hpp"

#include <array>

#include <boost/beast/http/field.hpp>
#include <nlohmann/json.hpp>

#include "testing/census_rig.hpp"

namespace ethnet::census::testing {
namespace {

namespace http = boost::beast::http;
using Json = nlohmann::json;

constexpr std::array<observe::StaticFile, 2> kFiles{
    observe::StaticFile{.path = "/index.html", .bytes = "<!doctype html>"},
    observe::StaticFile{.path = "/census.js", .bytes = "1;"}};

class CensusPage : public CensusRig {
 protected:
  static observe::HostNames names() {
    return observe::HostNames{{"Census.example"}, IpAddress::parse("192.168.7.7").value()};
  }
  HttpResponse get(const std::string& target, const std::string& host = "localhost:1",
                   const std::string& origin = "", http::verb method = http::verb::get) {
    Page page{path(), names(), kFiles};
    HttpRequest request{method, target, 11};
    request.set(http::field::host, host);
    if (!origin.empty()) request.set(http::field::origin, origin);
    return page.answer(request);
  }
  Json json(const std::string& target) { return Json::parse(get(target).body()); }
};

TEST_F(CensusPage, RowsAreTheColumnsWithNullForWhatIsNotSaid) {
  add({.client = {"Geth", "1"}, .capabilities = {"snap"}, .fork = 1});
  const Json told = json("/nodes.json");
  ASSERT_EQ(told["nodes"].size(), 1U);
  const Json& node = told["nodes"][0];
  EXPECT_EQ(node.size(), kColumns.size());
  EXPECT_EQ(node["client"], "Geth/1");
  EXPECT_EQ(node["udp"], 30'303);
  EXPECT_EQ(node["tcp"], nullptr);
  EXPECT_EQ(node["last_seen"], 1'000);
  EXPECT_EQ(told["next"], nullptr);
}

TEST_F(CensusPage, AFullPageSaysWhereTheNextOneBegins) {
  for (int i = 0; i < 3; ++i) add({});
  const Json first = json("/nodes.json?limit=2");
  EXPECT_EQ(first["next"], first["nodes"][1]["id"]);
  const Json second = json("/nodes.json?limit=2&after=" + first["next"].get<std::string>());
  EXPECT_EQ(second["nodes"].size(), 1U);
  EXPECT_EQ(second["next"], nullptr);
}

TEST_F(CensusPage, FiltersComeFromTheQuery) {
  add({.client = {"Geth & Co", "1"}});
  add({});
  EXPECT_EQ(json("/statistics.json")["nodes"], 2);
  EXPECT_EQ(json("/statistics.json?client=geth+%26%20co")["nodes"], 1);
  EXPECT_EQ(json("/statistics.json?client=")["nodes"], 1);
  EXPECT_EQ(json("/statistics.json?client=geth&min_score=2")["nodes"], 0);
}

TEST_F(CensusPage, WhatIsNoQuestionIsRefusedWithAReason) {
  for (const char* const target :
       {"/nodes.json?limit=0", "/nodes.json?limit=1001", "/nodes.json?limit=x",
        "/nodes.json?what=1", "/nodes.json?client=%4", "/nodes.json?client=%zz",
        "/statistics.json?min_score=1.5", "/statistics.json?seen_since=99999999999999999999"}) {
    const HttpResponse answer = get(target);
    EXPECT_EQ(answer.result(), http::status::bad_request) << target;
    EXPECT_FALSE(Json::parse(answer.body())["error"].get<std::string>().empty());
  }
  EXPECT_EQ(get("/etc/passwd").result(), http::status::not_found);
  EXPECT_EQ(get("/../census.db").result(), http::status::not_found);
  EXPECT_EQ(get("/nodes.json", "localhost", "", http::verb::post).result(),
            http::status::method_not_allowed);
}

TEST_F(CensusPage, AForeignNameAndAForeignPageAreRefused) {
  EXPECT_EQ(get("/nodes.json", "evil.example").result(), http::status::forbidden);
  EXPECT_EQ(get("/nodes.json", "localhost.evil.example:80").result(), http::status::forbidden);
  for (const char* const host : {"", "192.168.7.8", "192.168.7.7.evil.example", "192.168.7.7:x",
                                 "192.168.7.7@evil.example", "census.example.", "0.0.0.0"}) {
    EXPECT_EQ(get("/nodes.json", host).result(), http::status::forbidden) << host;
  }
  EXPECT_EQ(get("/nodes.json", "localhost:1", "http://evil.example").result(),
            http::status::forbidden);
  for (const char* const host : {"127.0.0.1:99", "[::1]:99", "192.168.7.7", "192.168.7.7:80",
                                 "LOCALHOST", "census.example:80"}) {
    EXPECT_EQ(get("/nodes.json", host).result(), http::status::ok) << host;
  }
  EXPECT_EQ(get("/nodes.json", "localhost:1", "http://localhost:1").result(), http::status::ok);
}

TEST_F(CensusPage, WhatAPageOfAnotherSiteAsksForIsNotWorkedOn) {
  Page page{path(), names(), kFiles};
  const auto status = [&](const char* site, const char* target) {
    HttpRequest request{http::verb::get, target, 11};
    request.set(http::field::host, "localhost:1");
    request.set("Sec-Fetch-Site", site);
    return page.answer(request).result();
  };
  for (const char* const target : {"/", "/census.js", "/nodes.json", "/statistics.json"}) {
    for (const char* const site : {"cross-site", "same-site", "Cross-Site"}) {
      EXPECT_EQ(status(site, target), http::status::forbidden) << site << " " << target;
    }
    for (const char* const site : {"same-origin", "none"}) {
      EXPECT_EQ(status(site, target), http::status::ok) << site << " " << target;
    }
  }
}

TEST_F(CensusPage, EveryAnswerKeepsABrowserFromDoingMore) {
  for (const char* const target : {"/", "/census.js", "/nodes.json", "/nothing"}) {
    const HttpResponse answer = get(target);
    EXPECT_EQ(answer["X-Content-Type-Options"], "nosniff") << target;
    EXPECT_EQ(answer["X-Frame-Options"], "DENY") << target;
    const std::string policy = answer["Content-Security-Policy"];
    EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    EXPECT_EQ(answer.count(http::field::access_control_allow_origin), 0U) << target;
  }
  EXPECT_EQ(get("/")[http::field::content_type], "text/html; charset=utf-8");
}

// Texts of peers are printable in the census already; whatever is in the file is JSON.
TEST_F(CensusPage, atk_07_WhatANodeSaysOfItselfIsDataInTheAnswer) {
  add({.client = {"</script><img src=x onerror=alert(1)>", "\x1b]0;x\x07\"\\"}});
  const std::string body = get("/nodes.json").body();
  EXPECT_EQ(body.find('\x1b'), std::string::npos);
  EXPECT_EQ(Json::parse(body)["nodes"][0]["client"],
            "</script><img src=x onerror=alert(1)>/\\x1b]0;x\\x07\"\\");
  EXPECT_EQ(get("/nodes.json")[http::field::content_type], "application/json");
}

}  // namespace
}  // namespace ethnet::census::testing
