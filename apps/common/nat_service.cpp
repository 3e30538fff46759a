#include "nat_service.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nat/pmp.hpp>
#include <nat/stun.hpp>
#include <runtime/boot_timer.hpp>
#include <runtime/dns_resolver.hpp>
#include <runtime/machine_socket.hpp>
#include <runtime/os.hpp>
#include <runtime/upnp_mapper.hpp>

#include "files.hpp"
#include "nat.hpp"

namespace ethnet::app {
namespace {

constexpr const char* kRouteTable = "/proc/net/route";

Endpoint any_port_of(const IpAddress& peer) {
  return {peer.is_v4() ? IpAddress{} : IpAddress::parse("::").value(), 0};
}

std::uint64_t whole_seconds(Duration time) {
  return static_cast<std::uint64_t>(time.ns / seconds(1).ns);
}

std::uint16_t discovery_port_of(const node::Node& node, std::uint16_t otherwise) {
  const node::UdpDiscovery* const udp = node.udp_discovery();
  return udp == nullptr ? otherwise : udp->local_port();
}

}  // namespace

class NatService::Asker {
 public:
  Asker() = default;
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;
  virtual ~Asker() = default;
};

// The address counts alone: what the server sees of the port is that of another socket. A server
// that fails may have moved: its name is asked for again each time, after a pause that grows.
class NatService::Stun final : public Asker {
 public:
  Stun(NatStun server, const NodeOptions& options, runtime::NodeRunner& runner, std::uint16_t port,
       Log& log)
      : server_{std::move(server)},
        runner_{runner},
        port_{port},
        log_{log},
        resolver_{runner.io(), {.server = options.dns_server}} {
    if (const auto ip = IpAddress::parse(server_.host)) {
      begin(*ip);
    } else {
      resolve();
    }
  }

 private:
  void resolve() {
    resolver_.ask_addresses(server_.host, [this](const runtime::AddressAnswer& answer) {
      std::string why = answer.why.empty() ? "no address" : answer.why;
      // Some may be of a family not here.
      for (const IpAddress& ip : servers_to_try(answer.addresses, last_)) {
        try {
          return begin(ip);
        } catch (const std::exception& error) {
          why = error.what();
        }
      }
      fail(why);
    });
  }
  void begin(const IpAddress& ip) {
    last_ = ip;
    socket_.reset();  // it has the client
    client_.emplace(Endpoint{ip, server_.port}, rng_);
    socket_.emplace(runner_.io(), *client_, any_port_of(ip),
                    [this](const nat::StunEvent& event) { on(event); });
    start();
  }
  void start() {
    socket_->input([](nat::StunClient& client, Now now) { client.start(now); });
  }
  void on(const nat::StunEvent& event) {
    if (const auto* const failed = std::get_if<nat::StunFailed>(&event)) {
      return fail(std::string{failed->why.what()});
    }
    failures_ = 0;
    const IpAddress ip = std::get<nat::StunMapped>(event).mapped.ip;
    const auto level = told_ == ip ? LogLevel::debug : LogLevel::info;
    told_ = ip;
    log_.write(runtime::os_now(), level, "Our address as the STUN server sees it",
               {{"ip", ip.to_string()},
                {"server", name()},
                {"again_s", whole_seconds(nat::kStunRefresh)}});
    runner_.input([&](node::Node& node, Now now) {
      // Of our port for discovery the server says nothing: it stays what it is.
      node.set_external(now, {ip, port_}, std::nullopt);
    });
  }
  void fail(const std::string& why) {
    ++failures_;
    told_.reset();
    const Duration pause = nat::stun_retry_after(failures_);
    log_.write(runtime::os_now(), LogLevel::warn, "The STUN server does not tell our address",
               {{"server", name()}, {"why", why}, {"again_s", whole_seconds(pause)}});
    retry_.set(runtime::os_now().mono + pause);
  }
  void again() { IpAddress::parse(server_.host) ? start() : resolve(); }
  [[nodiscard]] std::string name() const {
    return fmt::format("{}:{}", server_.host, server_.port);
  }

  NatStun server_;
  runtime::NodeRunner& runner_;
  std::uint16_t port_;
  Log& log_;
  runtime::OsEntropy rng_;
  runtime::DnsResolver resolver_;
  runtime::BootTimer retry_{runner_.io(), [this] { again(); }};
  std::uint64_t failures_ = 0;     // since the last answer
  std::optional<IpAddress> last_;  // of the server: where it was asked
  std::optional<IpAddress> told_;  // of ours, as it said the last time
  std::optional<nat::StunClient> client_;
  std::optional<runtime::MachineSocket<nat::StunClient>> socket_;
};

class NatService::Pmp final : public Asker {
 public:
  Pmp(const Endpoint& gateway, runtime::NodeRunner& runner, std::vector<std::uint16_t> ports,
      Log& log)
      : gateway_{gateway},
        runner_{runner},
        log_{log},
        client_{gateway, std::move(ports)},
        socket_{runner.io(), client_, any_port_of(gateway.ip),
                [this](const nat::PmpEvent& event) { on(event); }} {
    socket_.input([](nat::PmpClient& client, Now now) { client.start(now); });
  }
  ~Pmp() override {
    socket_.input([](nat::PmpClient& client, Now now) { client.stop(now); });
  }

 private:
  void on(const nat::PmpEvent& event) {
    if (const auto* const failed = std::get_if<nat::PmpFailed>(&event)) {
      told_.reset();
      return log_.write(runtime::os_now(), LogLevel::warn, "The gateway gives no mapping",
                        {{"gateway", gateway_.to_string()}, {"why", failed->why.what()}});
    }
    const auto& mapped = std::get<nat::PmpMapped>(event);
    const std::uint16_t sessions = mapped.ports.front().external;
    const std::uint16_t discovery = mapped.ports.back().external;
    const Told told{{mapped.external, sessions}, discovery};
    // Renewals that change nothing are no news.
    const auto level = told_ == told ? LogLevel::debug : LogLevel::info;
    told_ = told;
    log_.write(runtime::os_now(), level, "The gateway has mapped our ports",
               {{"ip", mapped.external.to_string()},
                {"port", std::uint64_t{sessions}},
                {"discovery_port", std::uint64_t{discovery}},
                {"gateway", gateway_.to_string()},
                {"lifetime_s", std::uint64_t{mapped.lifetime}}});
    runner_.input([&](node::Node& node, Now now) {
      node.set_external(now, {mapped.external, sessions}, discovery);
    });
  }

  using Told = std::pair<Endpoint, std::uint16_t>;  // of sessions, and the port of discovery
  Endpoint gateway_;
  runtime::NodeRunner& runner_;
  Log& log_;
  std::optional<Told> told_;  // as it said the last time
  nat::PmpClient client_;
  runtime::MachineSocket<nat::PmpClient> socket_;
};

// Where we listen on one address alone, the gateway is searched for from there.
class NatService::Upnp final : public Asker {
 public:
  Upnp(const NatUpnp& gateway, const std::string& address, runtime::NodeRunner& runner,
       std::vector<std::uint16_t> ports, Log& log)
      : runner_{runner},
        log_{log},
        mapper_{runner.io(),
                {.description = gateway.description, .local = interface_of(address)},
                std::move(ports),
                [this](const runtime::UpnpEvent& event) { on(event); }} {}

 private:
  [[nodiscard]] static std::string interface_of(const std::string& address) {
    const auto ip = IpAddress::parse(address);
    return ip && ip->is_v4() && !ip->is_unspecified() ? address : std::string{};
  }
  void on(const runtime::UpnpEvent& event) {
    if (const auto* const failed = std::get_if<runtime::UpnpFailed>(&event)) {
      const auto level = failed->why == failed_ ? LogLevel::debug : LogLevel::warn;
      failed_ = failed->why;
      told_.reset();
      return log_.write(runtime::os_now(), level, "The gateway gives no mapping",
                        {{"by", "UPnP"}, {"why", failed->why}});
    }
    const auto& mapped = std::get<runtime::UpnpMapped>(event);
    const Told told{{mapped.external, mapped.ports.front()}, mapped.ports.back()};
    const auto level = told_ == told ? LogLevel::debug : LogLevel::info;
    told_ = told;
    failed_.clear();
    log_.write(runtime::os_now(), level, "The gateway has mapped our ports",
               {{"by", "UPnP"},
                {"ip", mapped.external.to_string()},
                {"port", std::uint64_t{mapped.ports.front()}},
                {"discovery_port", std::uint64_t{mapped.ports.back()}},
                {"lifetime_s", whole_seconds(runtime::kUpnpLease)}});
    runner_.input([&](node::Node& node, Now now) {
      node.set_external(now, {mapped.external, mapped.ports.front()}, mapped.ports.back());
    });
  }

  using Told = std::pair<Endpoint, std::uint16_t>;  // of sessions, and the port of discovery
  runtime::NodeRunner& runner_;
  Log& log_;
  std::optional<Told> told_;  // as it said the last time
  std::string failed_;        // why, the last time
  runtime::UpnpMapper mapper_;
};

NatService::NatService(const NodeOptions& options, runtime::NodeRunner& runner, std::uint16_t port,
                       Log& log) {
  const NatChoice choice = parse_nat(options.nat);
  if (const auto* const stun = std::get_if<NatStun>(&choice)) {
    asker_ = std::make_unique<Stun>(*stun, options, runner, port, log);
  }
  std::vector<std::uint16_t> ports{port};
  runner.input([&](const node::Node& node, Now) {
    const std::uint16_t discovery = discovery_port_of(node, port);
    if (discovery != port) ports.push_back(discovery);
  });
  if (const auto* const upnp = std::get_if<NatUpnp>(&choice)) {
    asker_ = std::make_unique<Upnp>(*upnp, options.address, runner, std::move(ports), log);
    return;
  }
  const auto* const pmp = std::get_if<NatPmp>(&choice);
  if (pmp == nullptr) return;
  std::optional<Endpoint> gateway = pmp->gateway;
  if (!gateway) {
    const auto ip = default_gateway(read_text_file(kRouteTable));
    if (!ip) throw std::runtime_error("--nat pmp: there is no default gateway (see pmp:IP)");
    gateway = Endpoint{*ip, nat::kPmpPort};
  }
  asker_ = std::make_unique<Pmp>(*gateway, runner, std::move(ports), log);
}

NatService::~NatService() = default;

}  // namespace ethnet::app
