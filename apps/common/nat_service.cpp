#include "nat_service.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <discovery/kbucket/scope.hpp>
#include <fmt/format.h>
#include <nat/pmp.hpp>
#include <nat/stun.hpp>
#include <runtime/boot_timer.hpp>
#include <runtime/dns_resolver.hpp>
#include <runtime/machine_socket.hpp>
#include <runtime/os.hpp>
#include <runtime/sockaddr.hpp>
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
  // Another one is asked: what it has mapped is given back, and it maps nothing more.
  virtual void end() {}
};

// Several ask for mappings: the first one that gets them wins.
class NatService::Race {
 public:
  Race() = default;
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;
  virtual ~Race() = default;
  // It has mappings. Whether it is its turn to tell of them.
  [[nodiscard]] virtual bool wins(const Asker& asker) = 0;
  // How loudly it may say so.
  [[nodiscard]] virtual LogLevel loses(const Asker& asker) = 0;
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
  // `race`: null where it is alone.
  Pmp(const Endpoint& gateway, runtime::NodeRunner& runner, std::vector<std::uint16_t> ports,
      Log& log, Race* race)
      : gateway_{gateway},
        runner_{runner},
        log_{log},
        race_{race},
        client_{gateway, std::move(ports)},
        socket_{runner.io(), client_, any_port_of(gateway.ip),
                [this](const nat::PmpEvent& event) { on(event); }} {
    socket_.input([](nat::PmpClient& client, Now now) { client.start(now); });
  }
  ~Pmp() override { end(); }
  void end() final {
    if (std::exchange(ended_, true)) return;
    socket_.input([](nat::PmpClient& client, Now now) { client.stop(now); });
  }

 private:
  void on(const nat::PmpEvent& event) {
    if (const auto* const failed = std::get_if<nat::PmpFailed>(&event)) {
      told_.reset();
      const auto level = race_ == nullptr ? LogLevel::warn : race_->loses(*this);
      return log_.write(runtime::os_now(), level, "The gateway gives no mapping",
                        {{"gateway", gateway_.to_string()}, {"why", failed->why.what()}});
    }
    if (race_ != nullptr && !race_->wins(*this)) return;
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
  Race* race_;
  bool ended_ = false;
  std::optional<Told> told_;  // as it said the last time
  nat::PmpClient client_;
  runtime::MachineSocket<nat::PmpClient> socket_;
};

// Where we listen on one address alone, the gateway is searched for from there.
class NatService::Upnp final : public Asker {
 public:
  Upnp(const NatUpnp& gateway, const std::string& address, runtime::NodeRunner& runner,
       std::vector<std::uint16_t> ports, Log& log, Race* race)
      : runner_{runner},
        log_{log},
        race_{race},
        mapper_{runner.io(),
                {.description = gateway.description, .local = interface_of(address)},
                std::move(ports),
                [this](const runtime::UpnpEvent& event) { on(event); }} {}
  void end() final { mapper_.end(); }

 private:
  [[nodiscard]] static std::string interface_of(const std::string& address) {
    const auto ip = IpAddress::parse(address);
    return ip && ip->is_v4() && !ip->is_unspecified() ? address : std::string{};
  }
  void on(const runtime::UpnpEvent& event) {
    if (const auto* const failed = std::get_if<runtime::UpnpFailed>(&event)) {
      const auto loud = race_ == nullptr ? LogLevel::warn : race_->loses(*this);
      const auto level = failed->why == failed_ ? LogLevel::debug : loud;
      failed_ = failed->why;
      told_.reset();
      return log_.write(runtime::os_now(), level, "The gateway gives no mapping",
                        {{"by", "UPnP"}, {"why", failed->why}});
    }
    if (race_ != nullptr && !race_->wins(*this)) return;
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
  Race* race_;
  std::optional<Told> told_;  // as it said the last time
  std::string failed_;        // why, the last time
  runtime::UpnpMapper mapper_;
};

namespace {

std::optional<Endpoint> gateway_of_default_route() {
  const auto ip = default_gateway(read_text_file(kRouteTable));
  return ip ? std::optional{Endpoint{*ip, nat::kPmpPort}} : std::nullopt;
}

// Where we listen on this machine alone, its gateway has nothing to do with us.
bool leads_to(const std::string& address, const Endpoint& gateway) {
  const auto ip = IpAddress::parse(address);
  if (!ip || !runtime::can_reach(*ip, gateway.ip)) return false;
  const auto is_here = [](const IpAddress& at) {
    return kbucket::scope_of(at) == kbucket::Scope::loopback;
  };
  return !is_here(*ip) || is_here(gateway.ip);
}

}  // namespace

// UPnP and NAT-PMP, for as long as nobody has mapped anything; then the one that has.
class NatService::Any final : public Asker, public Race {
 public:
  Any(const NatAny& any, const NodeOptions& options, runtime::NodeRunner& runner,
      const std::vector<std::uint16_t>& ports, Log& log)
      : log_{log} {
    std::optional<Endpoint> gateway = any.pmp.gateway;
    if (!gateway) gateway = gateway_of_default_route();
    upnp_ = std::make_unique<Upnp>(NatUpnp{}, options.address, runner, ports, log, this);
    if (gateway && leads_to(options.address, *gateway)) {
      pmp_ = std::make_unique<Pmp>(*gateway, runner, ports, log, this);
    }
  }

 private:
  [[nodiscard]] bool wins(const Asker& asker) final {
    if (winner_ == nullptr) {
      winner_ = &asker;
      const bool is_upnp = winner_ == upnp_.get();
      Asker* other = upnp_.get();
      if (is_upnp) other = pmp_.get();
      if (other != nullptr) other->end();
      log_.write(runtime::os_now(), LogLevel::info, "Of the gateways this one was first",
                 {{"by", is_upnp ? "UPnP" : "NAT-PMP"}});
    }
    return winner_ == &asker;
  }
  // That one of them is not there is usual.
  [[nodiscard]] LogLevel loses(const Asker& asker) final {
    failed_.insert(&asker);
    const std::size_t all = pmp_ ? 2 : 1;
    return winner_ == &asker || failed_.size() == all ? LogLevel::warn : LogLevel::debug;
  }

  Log& log_;
  const Asker* winner_ = nullptr;
  std::set<const Asker*> failed_;
  std::unique_ptr<Upnp> upnp_;
  std::unique_ptr<Pmp> pmp_;
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
    asker_ = std::make_unique<Upnp>(*upnp, options.address, runner, std::move(ports), log, nullptr);
  } else if (const auto* const any = std::get_if<NatAny>(&choice)) {
    asker_ = std::make_unique<Any>(*any, options, runner, ports, log);
  } else if (const auto* const pmp = std::get_if<NatPmp>(&choice)) {
    const auto gateway = pmp->gateway ? pmp->gateway : gateway_of_default_route();
    if (!gateway) throw std::runtime_error("--nat pmp: there is no default gateway (see pmp:IP)");
    asker_ = std::make_unique<Pmp>(*gateway, runner, std::move(ports), log, nullptr);
  }
}

NatService::~NatService() = default;

}  // namespace ethnet::app
