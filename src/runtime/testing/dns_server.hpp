// For tests: a name server on a loopback port of its own, on the test's io_context. It has TXT, A
// and AAAA records, and can be silent or say that it failed. As much of RFC 1035 as a client needs.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <types/endpoint.hpp>

namespace ethnet::runtime::testing {

class DnsServer {
 public:
  explicit DnsServer(boost::asio::io_context& io)
      : socket_{io, {boost::asio::ip::address_v4::loopback(), 0}} {
    receive();
  }
  [[nodiscard]] std::string address() const {
    return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
  }

  // Each text as it is, in strings of at most 255 bytes.
  std::map<std::string, std::vector<std::string>> texts;
  std::map<std::string, std::vector<IpAddress>> addresses;
  std::size_t ignored = 0;  // so many questions that come are not answered
  bool fails = false;       // SERVFAIL
  std::vector<std::string> asked;

 private:
  static constexpr std::uint16_t kA = 1;
  static constexpr std::uint16_t kTxt = 16;
  static constexpr std::uint16_t kAaaa = 28;

  void receive() {
    socket_.async_receive_from(boost::asio::buffer(buffer_), from_,
                               [this](boost::system::error_code error, std::size_t size) {
                                 if (error) return;
                                 answer(std::string(buffer_.data(), size));
                                 receive();
                               });
  }

  static void put16(std::string& out, std::size_t value) {
    out.push_back(static_cast<char>(value >> 8 & 0xff));
    out.push_back(static_cast<char>(value & 0xff));
  }

  void answer(const std::string& question) {
    std::string name;
    std::size_t at = 12;
    while (question.at(at) != 0) {
      const auto size = static_cast<unsigned char>(question.at(at));
      if (!name.empty()) name.push_back('.');
      name += question.substr(at + 1, size);
      at += size + 1U;
    }
    const std::string type_and_class = question.substr(at + 1, 4);
    const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(type_and_class[1]));
    asked.push_back(name);
    if (ignored > 0) {
      --ignored;
      return;
    }
    const std::vector<std::string> data = records(name, type);
    const bool known = texts.contains(name) || addresses.contains(name);
    std::string out = question.substr(0, 2);
    put16(out, 0x8180U | (fails ? 2U : known ? 0U : 3U));
    put16(out, 1);
    put16(out, fails ? 0 : data.size());
    put16(out, 0);
    put16(out, 0);
    out += question.substr(12, at + 5 - 12);
    for (const std::string& one : data) {
      if (fails) break;
      put16(out, 0xc00c);  // the name of the question
      out += type_and_class;
      put16(out, 0);
      put16(out, 60);
      put16(out, one.size());
      out += one;
    }
    socket_.send_to(boost::asio::buffer(out), from_);
  }

  [[nodiscard]] std::vector<std::string> records(const std::string& name,
                                                 std::uint16_t type) const {
    std::vector<std::string> out;
    if (type == kTxt && texts.contains(name)) {
      for (const std::string& text : texts.at(name)) {
        out.emplace_back();
        for (std::size_t i = 0; i < text.size(); i += 255) {
          const std::string part = text.substr(i, 255);
          out.back().push_back(static_cast<char>(part.size()));
          out.back() += part;
        }
      }
    }
    if ((type == kA || type == kAaaa) && addresses.contains(name)) {
      for (const IpAddress& ip : addresses.at(name)) {
        if (ip.is_v4() != (type == kA)) continue;
        out.emplace_back();
        for (const std::byte b : ip.bytes()) out.back().push_back(static_cast<char>(b));
      }
    }
    return out;
  }

  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::endpoint from_;
  std::array<char, 1024> buffer_{};
};

}  // namespace ethnet::runtime::testing
