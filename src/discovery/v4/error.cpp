#include "error.hpp"

namespace ethnet::discv4 {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<Discv4Error>(code)) {
    case Discv4Error::packet_too_small:
      return "packet below 98 bytes";
    case Discv4Error::packet_too_large:
      return "packet above 1280 bytes";
    case Discv4Error::bad_hash:
      return "not the hash of this packet";
    case Discv4Error::unknown_packet_type:
      return "unknown type of packet";
    case Discv4Error::bad_address:
      return "address not of 4 or 16 bytes";
    case Discv4Error::too_many_nodes:
      return "too many nodes in one packet";
    case Discv4Error::record_too_large:
      return "record above 300 bytes";
    case Discv4Error::expired:
      return "packet has expired";
    case Discv4Error::packet_does_not_fit:
      return "packet does not fit";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"discv4", describe};

}  // namespace

const ErrorDomain& error_domain(Discv4Error) { return kDomain; }

}  // namespace ethnet::discv4
