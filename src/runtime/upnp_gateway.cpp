#include "upnp_gateway.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

namespace ethnet::runtime {
namespace {

constexpr const char* kProtocol = "UDP";
constexpr const char* kName = "MiniEthNet";
constexpr unsigned char kHops = 2;  // of a search: UPnP Device Architecture, 1.3.2

// Error codes of WANIPConnection.
constexpr int kNotThere = 714;
constexpr int kConflict = 718;
constexpr int kPermanentOnly = 725;

std::string reason(int code) {
  const char* const text = strupnperror(code);
  return text == nullptr ? fmt::format("error {}", code) : fmt::format("{} ({})", text, code);
}

std::string_view text_of(const std::array<char, 64>& buffer) {
  const std::string_view all{buffer.data(), buffer.size()};
  return all.substr(0, all.find('\0'));
}

std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.begin(), text.end(), port);
  return read.ec == std::errc{} && read.ptr == text.end() ? port : std::uint16_t{0};
}

// The nth other port than this one, none below 1024.
std::uint16_t another_port(std::uint16_t port, unsigned nth) {
  constexpr unsigned kFirst = 1024;
  constexpr unsigned kStep = 7919;  // prime: neighbours in port try others than we do
  const unsigned range = 65'536U - kFirst;
  return static_cast<std::uint16_t>(kFirst + (port + nth * kStep) % range);
}

}  // namespace

struct UpnpGateway::Device {
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() { FreeUPNPUrls(&urls); }

  [[nodiscard]] int add(std::uint16_t internal, std::uint16_t external, Duration lease) const {
    return UPNP_AddPortMapping(urls.controlURL, data.first.servicetype,
                               std::to_string(external).c_str(), std::to_string(internal).c_str(),
                               local.data(), kName, kProtocol, nullptr,
                               std::to_string(lease.ns / seconds(1).ns).c_str());
  }
  // Where the gateway chooses the port (WANIPConnection:2); 0 where it does not.
  [[nodiscard]] std::uint16_t add_any(std::uint16_t internal, std::uint16_t external,
                                      Duration lease) const {
    std::array<char, 64> reserved{};
    const int code = UPNP_AddAnyPortMapping(
        urls.controlURL, data.first.servicetype, std::to_string(external).c_str(),
        std::to_string(internal).c_str(), local.data(), kName, kProtocol, nullptr,
        std::to_string(lease.ns / seconds(1).ns).c_str(), reserved.data());
    return code == UPNPCOMMAND_SUCCESS ? port_of(text_of(reserved)) : std::uint16_t{0};
  }

  [[nodiscard]] UpnpMapping mapping(std::uint16_t internal, std::uint16_t external) const {
    return {.control = urls.controlURL,
            .service = data.first.servicetype,
            .client = std::string{text_of(local)},
            .internal = internal,
            .external = external};
  }

  UPNPUrls urls{};
  IGDdatas data{};
  std::array<char, 64> local{};  // our address towards it
};

UpnpGateway::UpnpGateway(std::unique_ptr<Device> device) : device_{std::move(device)} {}
UpnpGateway::UpnpGateway(UpnpGateway&&) noexcept = default;
UpnpGateway& UpnpGateway::operator=(UpnpGateway&&) noexcept = default;
UpnpGateway::~UpnpGateway() = default;

std::expected<UpnpGateway, std::string> UpnpGateway::find(const UpnpPlace& place) {
  auto device = std::make_unique<Device>();
  const auto room = static_cast<int>(device->local.size());
  if (!place.description.empty()) {
    const int found = UPNP_GetIGDFromUrl(place.description.c_str(), &device->urls, &device->data,
                                         device->local.data(), room);
    const bool maps = std::string_view{device->data.first.servicetype} != "";
    if (found != 1 || !maps) return std::unexpected("no gateway is described there");
    return UpnpGateway{std::move(device)};
  }
  int error = UPNPDISCOVER_SUCCESS;
  const char* const by = place.local.empty() ? nullptr : place.local.c_str();
  UPNPDev* const answers = upnpDiscover(static_cast<int>(kUpnpSearch.ns / milliseconds(1).ns), by,
                                        nullptr, UPNP_LOCAL_PORT_ANY, 0, kHops, &error);
  const int kind =
      UPNP_GetValidIGD(answers, &device->urls, &device->data, device->local.data(), room);
  freeUPNPDevlist(answers);
  switch (kind) {
    case 1:
      return UpnpGateway{std::move(device)};
    case 2:
      return std::unexpected("the gateway is not connected, or itself behind another one");
    case 3:
      return std::unexpected("whoever answered is no gateway");
    default:
      return std::unexpected("no gateway answered");
  }
}

std::expected<IpAddress, std::string> UpnpGateway::external_address() const {
  std::array<char, 64> text{};
  const int code = UPNP_GetExternalIPAddress(device_->urls.controlURL,
                                             device_->data.first.servicetype, text.data());
  if (code != UPNPCOMMAND_SUCCESS) return std::unexpected(reason(code));
  const auto ip = IpAddress::parse(text_of(text));
  if (!ip || ip->is_unspecified()) return std::unexpected("it tells no external address");
  return *ip;
}

std::expected<UpnpMapping, std::string> UpnpGateway::map(std::uint16_t internal,
                                                         std::uint16_t external, Duration lease) {
  int code = device_->add(internal, external, lease);
  if (code == kPermanentOnly) {
    lease = Duration{};
    code = device_->add(internal, external, lease);
  }
  if (code == kConflict) {
    if (const auto port = device_->add_any(internal, external, lease); port != 0) {
      return device_->mapping(internal, port);
    }
  }
  const std::uint16_t wished = external;
  for (unsigned nth = 1; code == kConflict && nth <= kUpnpOtherPorts; ++nth) {
    external = another_port(wished, nth);
    code = device_->add(internal, external, lease);
  }
  if (code != UPNPCOMMAND_SUCCESS) return std::unexpected(reason(code));
  return device_->mapping(internal, external);
}

bool UpnpGateway::give_back(const UpnpMapping& mapping) {
  const std::string external = std::to_string(mapping.external);
  std::array<char, 64> client{};
  std::array<char, 64> internal{};
  int code = UPNP_GetSpecificPortMappingEntry(mapping.control.c_str(), mapping.service.c_str(),
                                              external.c_str(), kProtocol, nullptr, client.data(),
                                              internal.data(), nullptr, nullptr, nullptr);
  if (code == kNotThere) return true;
  if (code != UPNPCOMMAND_SUCCESS) return false;
  const bool is_ours =
      text_of(client) == mapping.client && port_of(text_of(internal)) == mapping.internal;
  if (!is_ours) return true;
  code = UPNP_DeletePortMapping(mapping.control.c_str(), mapping.service.c_str(), external.c_str(),
                                kProtocol, nullptr);
  return code == UPNPCOMMAND_SUCCESS || code == kNotThere;
}

}  // namespace ethnet::runtime
