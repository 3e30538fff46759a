// Hashes, headers, records and a packet of discv4, one after another.
#include <base/hex.hpp>
#include <benchmark/benchmark.h>
#include <crypto/keccak.hpp>
#include <crypto/secp256k1.hpp>
#include <discovery/v4/wire/packet.hpp>
#include <fmt/format.h>
#include <types/enr.hpp>
#include <types/header_view.hpp>

#include "compare.hpp"

namespace ethnet::bench {
namespace {

constexpr std::size_t kChecked = 600;  // items whose digest both sides have to agree on
constexpr std::size_t kBatch = 200;    // headers

Bytes joined(const std::vector<Bytes>& items) {
  Bytes out;
  for (const Bytes& item : items) append(out, item);
  return out;
}

// Keccak-256 of what f makes of each of the first kChecked items, in turns.
template <class F>
Bytes digest_of_all(const std::vector<Bytes>& items, F f) {
  Bytes all;
  for (std::size_t i = 0; i < kChecked; ++i) append(all, f(items[i % items.size()]));
  return to_bytes(crypto::keccak256(all));
}

void keccak_row(const Compare& compare) {
  const Bytes data(32);
  print(compare, {.what = "Keccak-256 of 32 bytes",
                  .peer = "geth crypto",
                  .goal = 1.2,
                  .ours = own_side([data](std::uint64_t) {
                    auto digest = crypto::keccak256(data);
                    benchmark::DoNotOptimize(digest);
                  }),
                  .theirs = [&] {
                    return peer_side(compare.geth.get(), "keccak", data, crypto::keccak256(data));
                  }});
}

// A batch is one decoding after the other, then all hashes at once.
Side header_batches(const std::vector<Bytes>& headers, std::optional<crypto::KeccakKernel> kernel) {
  return timed("ours", cpu_clock(), [&headers, kernel](std::uint64_t items) {
    std::vector<ByteView> views(headers.begin(), headers.end());
    std::vector<crypto::Digest32> hashes(kBatch);
    for (std::uint64_t i = 0; i < items; i += kBatch) {
      const std::span<const ByteView> batch = std::span{views}.subspan(i % views.size(), kBatch);
      for (const ByteView one : batch) {
        auto header = HeaderView::decode(one);
        benchmark::DoNotOptimize(header);
      }
      if (kernel) {
        crypto::keccak256_many_on(*kernel, batch, hashes);
      } else {
        crypto::keccak256_many(batch, hashes);
      }
      benchmark::ClobberMemory();
    }
  });
}

void header_rows(const Compare& compare) {
  const std::vector<Bytes> headers = amsterdam_headers(compare);
  const std::string what = "header of chain_amsterdam: decode and hash";
  if (headers.size() < kChecked) {
    print(Row{.what = what, .ours = "not run: no shared/vectors", .peer = "geth core/types"});
    return;
  }
  const auto theirs = [&] {
    return peer_side(compare.geth.get(), "header_decode_hash", joined(headers),
                     digest_of_all(headers, [](ByteView one) {
                       CHECK(HeaderView::decode(one).has_value());
                       return crypto::keccak256(one);
                     }));
  };
  print(compare, {.what = what,
                  .peer = "geth core/types",
                  .goal = 2.5,
                  .ours = own_side([&headers](std::uint64_t i) {
                    const Bytes& one = headers[i % headers.size()];
                    auto header = HeaderView::decode(one);
                    auto hash = crypto::keccak256(one);
                    benchmark::DoNotOptimize(header);
                    benchmark::DoNotOptimize(hash);
                  }),
                  .theirs = theirs});
  const bool avx512 = crypto::cpu_features().avx512;
  print(compare, {.what = fmt::format("the same in batches of {} ({})", kBatch,
                                      avx512 ? "AVX-512" : "AVX2 or less"),
                  .peer = "geth core/types, one by one",
                  .goal = avx512 ? 10.0 : 6.0,
                  .ours = header_batches(headers, {}),
                  .theirs = theirs});
  if (!avx512) return;
  print(compare, {.what = fmt::format("the same in batches of {}, AVX2 forced", kBatch),
                  .peer = "geth core/types, one by one",
                  .goal = 6,
                  .ours = header_batches(headers, crypto::KeccakKernel::avx2_x4),
                  .theirs = theirs});
}

crypto::SecretKey key_of(std::size_t number) {
  ByteArray<32> bytes{};
  store_be<std::uint64_t>(MutByteView{bytes}.last(8), number + 1);
  return crypto::SecretKey::from_bytes(bytes).value();
}

void record_rows(const Compare& compare) {
  std::vector<Bytes> records;
  for (std::size_t i = 0; i < 60; ++i) {
    const auto record = EnrBuilder{i + 1}
                            .ip(IpAddress::loopback_v4())
                            .udp(static_cast<std::uint16_t>(30303 + i))
                            .sign(key_of(i))
                            .value();
    records.push_back(to_bytes(record.record().encoded()));
  }
  const auto theirs = [&](const std::unique_ptr<PeerProcess>& peer) {
    return peer_side(peer.get(), "enr_decode_verify", joined(records),
                     digest_of_all(records, [](ByteView one) {
                       return to_bytes(VerifiedEnr::decode(one).value().node_id().view());
                     }));
  };
  const Side ours = own_side([&records](std::uint64_t i) {
    auto verified = VerifiedEnr::decode(records[i % records.size()]);
    benchmark::DoNotOptimize(verified);
  });
  print(compare, {.what = "node record (ENR): decode and verify",
                  .peer = "geth p2p/enode",
                  .goal = 1.6,
                  .ours = ours,
                  .theirs = [&] { return theirs(compare.geth); }});
  print(compare, {.what = "node record (ENR): decode and verify, beside ChainSafe's",
                  .peer = "ChainSafe enr",
                  .goal = 20,
                  .ours = ours,
                  .theirs = [&] { return theirs(compare.chainsafe); }});
}

void ping_rows(const Compare& compare) {
  const crypto::SecretKey key = key_of(7);
  const discv4::Place place{IpAddress::loopback_v4(), 30303, 30303};
  ByteArray<256> packet{};
  const auto encoded = discv4::encode(
      discv4::Ping{.from = place, .to = place, .expiration = 4'000'000'000, .enr_seq = 1}, key,
      packet);
  const Bytes ping = to_bytes(ByteView{packet}.first(encoded.value().size));
  const Side ours = own_side([ping](std::uint64_t) {
    const auto envelope = discv4::open(ping);
    auto message = discv4::decode_message(*envelope);
    auto sender = discv4::recover_sender(*envelope);
    benchmark::DoNotOptimize(message);
    benchmark::DoNotOptimize(sender);
  });
  const auto theirs = [&](const std::unique_ptr<PeerProcess>& peer) {
    return peer_side(peer.get(), "v4_ping_decode", ping, key.public_key().xy());
  };
  print(compare, {.what = "discv4 ping: decode, its sender found",
                  .peer = "geth v4wire",
                  .goal = 1.3,
                  .ours = ours,
                  .theirs = [&] { return theirs(compare.geth); }});
  print(compare, {.what = "discv4 ping: decode, beside EthereumJS",
                  .peer = "EthereumJS devp2p",
                  .goal = 0,
                  .ours = ours,
                  .theirs = [&] { return theirs(compare.ethereumjs); }});
}

}  // namespace

void primitive_rows(const Compare& compare) {
  keccak_row(compare);
  header_rows(compare);
  record_rows(compare);
  ping_rows(compare);
}

}  // namespace ethnet::bench
