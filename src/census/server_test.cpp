// The listener over real sockets of loopback; what it answers is page_test's.
#include "server.hpp"

#include <list>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "testing/census_rig.hpp"

namespace ethnet::census::testing {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class CensusServer : public CensusRig {
 protected:
  tcp::socket& connect(const Server& server) {
    const std::string url = server.url();
    const auto port = std::stoul(url.substr(url.rfind(':') + 1));
    tcp::socket& socket = sockets_.emplace_back(io_);
    socket.open(tcp::v4());
    // So that an answer of some size does not fit.
    socket.set_option(asio::socket_base::receive_buffer_size(4096));
    socket.connect({asio::ip::make_address("127.0.0.1"), static_cast<asio::ip::port_type>(port)});
    return socket;
  }
  static void ask(tcp::socket& socket, std::string_view target,
                  std::string_view host = "localhost") {
    asio::write(socket, asio::buffer("GET " + std::string{target} +
                                     " HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n"));
  }
  // Until the other side closes.
  static std::string rest(tcp::socket& socket) {
    std::string out;
    boost::system::error_code ignored;
    asio::read(socket, asio::dynamic_buffer(out), ignored);
    return out;
  }
  static std::string first_byte(tcp::socket& socket) {
    std::string out(1, ' ');
    boost::system::error_code error;
    asio::read(socket, asio::buffer(out), error);
    return error ? "" : out;
  }
  // Its answer has begun, and does not fit.
  tcp::socket& answered(const Server& server) {
    tcp::socket& socket = connect(server);
    ask(socket, "/nodes.json?limit=1000");
    EXPECT_EQ(first_byte(socket), "H");
    return socket;
  }
  void add_many() {
    for (int i = 0; i < 400; ++i) add({.client = {std::string(150, 'x')}});
  }

 private:
  asio::io_context io_;
  std::list<tcp::socket> sockets_;
};

Endpoint any_port(const char* ip) { return {IpAddress::parse(ip).value(), 0}; }

TEST_F(CensusServer, AtTheMostTheOldestThatIsNotAnsweredMakesWay) {
  add_many();
  const Server server{path(), any_port("127.0.0.1")};
  tcp::socket& reads_late = answered(server);
  tcp::socket& silent = connect(server);
  for (std::size_t i = 2; i < kMaxCensusConnections; ++i) (void)connect(server);
  tcp::socket& newcomer = connect(server);
  ask(newcomer, "/statistics.json");
  EXPECT_TRUE(rest(newcomer).starts_with("HTTP/1.1 200")) << "it was taken";
  EXPECT_EQ(rest(silent), "") << "closed, without a word";
  EXPECT_TRUE(rest(reads_late).ends_with("}\n")) << "the whole answer";
}

TEST_F(CensusServer, WhoAsksAndDoesNotReadKeepsNobodyOut) {
  add_many();
  const Server server{path(), any_port("127.0.0.1")};
  for (std::size_t i = 0; i < kMaxCensusConnections; ++i) (void)answered(server);
  tcp::socket& newcomer = connect(server);
  ask(newcomer, "/statistics.json");
  EXPECT_TRUE(rest(newcomer).starts_with("HTTP/1.1 200"));
}

TEST_F(CensusServer, TheAddressThatItNamesIsOneThatItAnswersTo) {
  for (const char* const ip : {"0.0.0.0", "127.0.0.1"}) {
    const Server server{path(), any_port(ip)};
    EXPECT_TRUE(server.url().starts_with("http://127.0.0.1:")) << server.url();
    tcp::socket& socket = connect(server);
    const std::string host = server.url().substr(7, server.url().size() - 8);
    ask(socket, "/", host);
    EXPECT_TRUE(rest(socket).starts_with("HTTP/1.1 200")) << ip;
  }
}

}  // namespace
}  // namespace ethnet::census::testing
