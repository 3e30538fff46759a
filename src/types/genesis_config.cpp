// The "config" part of a genesis file.
#include <array>

#include "genesis_json.hpp"

namespace ethnet::genesis_json {
namespace {

struct ForkKey {
  Fork fork;
  std::string_view begin;     // its key in config
  std::string_view schedule;  // its key in blobSchedule
  bool optional = false;      // a chain may leave it out and still have later forks
};
constexpr std::array<ForkKey, kForkCount - 1> kForkKeys{{
    {Fork::homestead, "homesteadBlock", ""},
    {Fork::dao, "daoForkBlock", "", true},
    {Fork::tangerine_whistle, "eip150Block", ""},
    {Fork::eip155, "eip155Block", ""},
    {Fork::spurious_dragon, "eip158Block", ""},
    {Fork::byzantium, "byzantiumBlock", ""},
    {Fork::constantinople, "constantinopleBlock", ""},
    {Fork::petersburg, "petersburgBlock", ""},
    {Fork::istanbul, "istanbulBlock", ""},
    {Fork::muir_glacier, "muirGlacierBlock", "", true},
    {Fork::berlin, "berlinBlock", ""},
    {Fork::london, "londonBlock", ""},
    {Fork::arrow_glacier, "arrowGlacierBlock", "", true},
    {Fork::gray_glacier, "grayGlacierBlock", "", true},
    {Fork::paris, "mergeNetsplitBlock", "", true},
    {Fork::shanghai, "shanghaiTime", ""},
    {Fork::cancun, "cancunTime", "cancun"},
    {Fork::prague, "pragueTime", "prague"},
    {Fork::osaka, "osakaTime", "osaka"},
    {Fork::bpo1, "bpo1Time", "bpo1", true},
    {Fork::bpo2, "bpo2Time", "bpo2", true},
    {Fork::bpo3, "bpo3Time", "bpo3", true},
    {Fork::bpo4, "bpo4Time", "bpo4", true},
    {Fork::bpo5, "bpo5Time", "bpo5", true},
    {Fork::amsterdam, "amsterdamTime", "amsterdam"},
}};

std::string path_of(const ForkKey& key) { return join("config", std::string{key.begin}); }

bool is_blob_parameter_fork(Fork fork) { return fork >= Fork::bpo1 && fork <= Fork::bpo5; }

Read<void> refuse_unknown_forks(const json& config) {
  for (const auto& [key, value] : config.items()) {
    if (value.is_null()) continue;
    if (!key.ends_with("Block") && !key.ends_with("Time")) continue;
    const auto same = [&](const ForkKey& known) { return known.begin == key; };
    if (std::ranges::none_of(kForkKeys, same)) {
      return fault(join("config", key), "a fork that this program does not know");
    }
  }
  return {};
}

// Forks begin in their order. Blob-parameter forks keep an order among themselves only: they may
// come before Amsterdam or after it.
Read<void> check_order(const ChainConfig& config) {
  const ForkKey* last_begun = nullptr;
  const ForkKey* missing = nullptr;
  for (const ForkKey& key : kForkKeys) {
    if (is_blob_parameter_fork(key.fork)) continue;
    const auto begin = config.begin_of(key.fork);
    if (!begin) {
      if (!key.optional && missing == nullptr) missing = &key;
      continue;
    }
    if (missing != nullptr) {
      return fault(path_of(key), "begins although " + std::string{missing->begin} + " is missing");
    }
    const bool same_kind =
        last_begun != nullptr && begins_at_time(last_begun->fork) == begins_at_time(key.fork);
    if (same_kind && *config.begin_of(last_begun->fork) > *begin) {
      return fault(path_of(key), "begins before " + std::string{last_begun->begin});
    }
    last_begun = &key;
  }
  return {};
}

Read<void> check_blob_parameter_order(const ChainConfig& config) {
  auto previous = config.begin_of(Fork::osaka);
  for (const ForkKey& key : kForkKeys) {
    const auto begin = config.begin_of(key.fork);
    if (!is_blob_parameter_fork(key.fork) || !begin) continue;
    if (!previous) return fault(path_of(key), "begins although the fork before it is missing");
    if (*begin < *previous) return fault(path_of(key), "begins before the fork before it");
    previous = begin;
  }
  return {};
}

Read<BlobSchedule> read_schedule(const json& value, const std::string& path) {
  TRY(need_object(value, path));
  BlobSchedule out;
  const auto field = [&](const char* name, std::uint64_t& to) -> Read<void> {
    const json* number = member(value, name);
    if (number == nullptr) return fault(join(path, name), "missing");
    to = TRY(read_u64(*number, join(path, name)));
    return {};
  };
  TRY(field("target", out.target));
  TRY(field("max", out.max));
  TRY(field("baseFeeUpdateFraction", out.base_fee_update_fraction));
  if (out.target > out.max) return fault(join(path, "target"), "above max");
  if (out.base_fee_update_fraction == 0) return fault(join(path, "baseFeeUpdateFraction"), "zero");
  return out;
}

// A blob-parameter fork is nothing but its schedule.
Read<void> check_blob_parameters(const ChainConfig& config, const json* schedules) {
  for (const ForkKey& key : kForkKeys) {
    if (!is_blob_parameter_fork(key.fork) || !config.begin_of(key.fork)) continue;
    const std::string name{key.schedule};
    if (schedules == nullptr || member(*schedules, name) == nullptr) {
      return fault(join("config.blobSchedule", name), "missing, although the fork begins");
    }
  }
  return {};
}

}  // namespace

Read<ChainConfig> read_config(const json& config) {
  TRY(need_object(config, "config"));
  TRY(refuse_unknown_forks(config));
  ChainConfig out;
  const json* chain_id = member(config, "chainId");
  if (chain_id == nullptr) return fault("config.chainId", "missing");
  out.chain_id = TRY(read_u64(*chain_id, "config.chainId"));
  if (const json* difficulty = member(config, "terminalTotalDifficulty"); difficulty != nullptr) {
    out.terminal_total_difficulty =
        TRY(read_uint256(*difficulty, "config.terminalTotalDifficulty"));
  }
  const json* schedules = member(config, "blobSchedule");
  if (schedules != nullptr) TRY(need_object(*schedules, "config.blobSchedule"));
  for (const ForkKey& key : kForkKeys) {
    if (const json* begin = member(config, std::string{key.begin}); begin != nullptr) {
      const std::uint64_t at = TRY(read_u64(*begin, path_of(key)));
      out.set_begin(key.fork, at);
    }
    if (schedules == nullptr || key.schedule.empty()) continue;
    const std::string name{key.schedule};
    if (const json* schedule = member(*schedules, name); schedule != nullptr) {
      const auto blobs = TRY(read_schedule(*schedule, join("config.blobSchedule", name)));
      out.set_blob_schedule(key.fork, blobs);
    }
  }
  TRY(check_order(out));
  TRY(check_blob_parameter_order(out));
  TRY(check_blob_parameters(out, schedules));
  return out;
}

}  // namespace ethnet::genesis_json
