// What `--serve` answers, without sockets: a request in, an answer out, of what a Reader reads.
//
//   GET /                 a page with the distributions, drawn, and the rows
//   GET /statistics.json  the distributions
//   GET /nodes.json       rows by id: {"nodes": […], "next": "…" or null}
// Of both: fork, network, client, capability, seen_since, min_score; of the rows limit (100) and
// after, which is the `next` of the answer before.
//
// A page in a browser may be made to call us under a name of its own (DNS rebinding), so a request
// has to name us as we are called. No other origin is allowed anything (no CORS), nor
// does it make us work: what a browser says that a page of another site asks for (Sec-Fetch-Site)
// is refused; browsers say so where we are on loopback, and not of other addresses in clear: there
// a page of another site can make us work (kMaxCensusConnections), and reads nothing. One thread.
// Limits: kMaxCensusPage of rows.
#pragma once

#include <string>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <observe/host_names.hpp>
#include <observe/static_files.hpp>

#include "reader.hpp"

namespace ethnet::census {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

class Page {
 public:
  // `files`: /index.html and what it needs.
  Page(const std::string& census, observe::HostNames names, observe::StaticFiles files);
  [[nodiscard]] HttpResponse answer(const HttpRequest& request);

 private:
  Reader reader_;
  observe::HostNames names_;
  observe::StaticFiles files_;
};

}  // namespace ethnet::census
