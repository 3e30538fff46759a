// Networks in CIDR notation, and whether an address is in one of them: what `--netrestrict` says.
// "10.0.0.0/8,fd00::/8" as go-ethereum takes it: blanks around an item and empty items do not
// count, nor do the bits of an address behind its prefix. Threading: values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <base/result.hpp>

#include "endpoint.hpp"

namespace ethnet {

enum class NetListError : std::uint16_t {
  no_prefix_length = 1,  // an address alone: /32 or /128 is meant to be said
  bad_address,
  bad_prefix_length,  // no number, or more than the address has bits
};
[[nodiscard]] const ErrorDomain& error_domain(NetListError);

class NetList {
 public:
  // The offset of an error is that of the item which is wrong.
  [[nodiscard]] static Result<NetList> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return nets_.empty(); }
  // In one of them; any address where there are none.
  [[nodiscard]] bool allows(const IpAddress& ip) const;
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const NetList&, const NetList&) = default;

 private:
  struct Net {
    IpAddress base;
    std::size_t bits = 0;
    friend bool operator==(const Net&, const Net&) = default;
  };
  [[nodiscard]] static Result<Net> parse_item(std::string_view item);

  std::vector<Net> nets_;
};

}  // namespace ethnet
