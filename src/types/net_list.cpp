#include "net_list.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ethnet {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<NetListError>(code)) {
    case NetListError::no_prefix_length:
      return "a network is ADDRESS/BITS";
    case NetListError::bad_address:
      return "not an IP address before /BITS";
    case NetListError::bad_prefix_length:
      return "/BITS is no number from 0 to 32, or to 128 for IPv6";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"networks", describe};

constexpr std::string_view kBlanks = " \t";

}  // namespace

const ErrorDomain& error_domain(NetListError) { return kDomain; }

Result<NetList::Net> NetList::parse_item(std::string_view item) {
  const std::size_t slash = item.find('/');
  if (slash == std::string_view::npos) return fail(NetListError::no_prefix_length);
  const auto ip = IpAddress::parse(item.substr(0, slash));
  if (!ip) return fail(NetListError::bad_address);
  const std::string_view digits = item.substr(slash + 1);
  const bool is_number = !digits.empty() && digits.size() <= 3 &&
                         (digits.size() == 1 || digits.front() != '0') &&
                         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return fail(NetListError::bad_prefix_length);
  std::size_t bits = 0;
  for (const char c : digits) bits = bits * 10 + static_cast<std::size_t>(c - '0');
  if (bits > ip->bytes().size() * 8) return fail(NetListError::bad_prefix_length);
  return Net{.base = ip->masked(bits), .bits = bits};
}

Result<NetList> NetList::parse(std::string_view text) {
  NetList out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view item = text.substr(at, end - at);
    const std::size_t first = item.find_first_not_of(kBlanks);
    if (first != std::string_view::npos) {
      const std::size_t last = item.find_last_not_of(kBlanks);
      const auto net = parse_item(item.substr(first, last - first + 1));
      if (!net) return std::unexpected{net.error().shifted(at + first)};
      out.nets_.push_back(*net);
    }
    at = end + 1;
  }
  return out;
}

bool NetList::allows(const IpAddress& ip) const {
  return nets_.empty() || std::ranges::any_of(nets_, [&](const Net& net) {
           return net.base.is_v4() == ip.is_v4() && ip.masked(net.bits) == net.base;
         });
}

std::string NetList::to_string() const {
  std::string out;
  for (const Net& net : nets_) {
    out += fmt::format("{}{}/{}", out.empty() ? "" : ",", net.base.to_string(), net.bits);
  }
  return out;
}

}  // namespace ethnet
