// Sources: fork schedules, genesis hashes and times, boot nodes and DNS trees as go-ethereum
// v1.17.8 has them (params/chainspecs/*.json, params/config.go, core/genesis.go,
// params/bootnodes.go).
#include "networks.hpp"

#include <array>

namespace ethnet {
namespace {

// Homestead, DAO, Tangerine Whistle, Spurious Dragon, Byzantium, Constantinople with Petersburg,
// Istanbul, Muir Glacier, Berlin, London, Arrow Glacier, Gray Glacier.
constexpr std::array<std::uint64_t, 12> kMainnetBlocks{
    1'150'000, 1'920'000, 2'463'000,  2'675'000,  4'370'000,  7'280'000,
    9'069'000, 9'200'000, 12'244'000, 12'965'000, 13'773'000, 15'050'000};
// Shanghai, Cancun, Prague, Osaka, BPO1, BPO2; on Sepolia Amsterdam too.
constexpr std::array<std::uint64_t, 6> kMainnetTimes{1'681'338'455, 1'710'338'135, 1'746'612'311,
                                                     1'764'798'551, 1'765'290'071, 1'767'747'671};
constexpr std::array<std::uint64_t, 1> kSepoliaBlocks{1'735'371};  // of the merge
constexpr std::array<std::uint64_t, 7> kSepoliaTimes{1'677'557'088, 1'706'655'072, 1'741'159'776,
                                                     1'760'427'360, 1'761'017'184, 1'761'607'008,
                                                     1'791'294'816};
// Hoodi began with Cancun: Prague, Osaka, BPO1, BPO2.
constexpr std::array<std::uint64_t, 4> kHoodiTimes{1'742'999'832, 1'761'677'592, 1'762'365'720,
                                                   1'762'955'544};

constexpr std::array<std::string_view, 4> kMainnetBootNodes{
    "enode://d860a01f9722d78051619d1e2351aba3f43f943f6f00718d1b9baa4101932a1f"
    "5011f16bb2b1bb35db20d6fe28fa0bf09636d26a87d31de9ec6203eeedb1f666@18.138.108.67:30303",
    "enode://22a8232c3abc76a16ae9d6c3b164f98775fe226f0917b0ca871128a74a8e9630"
    "b458460865bab457221f1d448dd9791d24c4e5d88786180ac185df813a68d4de@3.209.45.79:30303",
    "enode://2b252ab6a1d0f971d9722cb839a42cb81db019ba44c08754628ab4a823487071"
    "b5695317c8ccd085219c3a03af063495b2f1da8d18218da2d6a82981b45e6ffc@65.108.70.101:30303",
    "enode://4aeb4ab6c14b23e2c4cfdce879c04b0748a20d8e9b59e25ded2a08143e265c6c"
    "25936e74cbc8e641e3312ca288673d91f2f93f8e277de3cfa444ecdaaf982052@157.90.35.166:30303"};
constexpr std::array<std::string_view, 5> kSepoliaBootNodes{
    "enode://4e5e92199ee224a01932a377160aa432f31d0b351f84ab413a8e0a42f4f36476"
    "f8fb1cbe914af0d9aef0d51665c214cf653c651c4bbd9d5550a934f241f1682b@138.197.51.181:30303",
    "enode://143e11fb766781d22d92a2e33f8f104cddae4411a122295ed1fdb6638de96a6c"
    "e65f5b7c964ba3763bba27961738fef7d3ecc739268f3e5e771fb4c87b6234ba@146.190.1.103:30303",
    "enode://8b61dc2d06c3f96fddcbebb0efb29d60d3598650275dc469c22229d3e5620369"
    "b0d3dedafd929835fe7f489618f19f456fe7c0df572bf2d914a9f4e006f783a9@170.64.250.88:30303",
    "enode://10d62eff032205fcef19497f35ca8477bea0eadfff6d769a147e895d8b2b8f8a"
    "e6341630c645c30f5df6e67547c03494ced3d9c5764e8622a26587b083b028e8@139.59.49.206:30303",
    "enode://9e9492e2e8836114cc75f5b929784f4f46c324ad01daf87d956f98b3b6c5fcba"
    "95524d6e5cf9861dc96a2c8a171ea7105bb554a197455058de185fa870970c7c@138.68.123.152:30303"};
constexpr std::array<std::string_view, 3> kHoodiBootNodes{
    "enode://2112dd3839dd752813d4df7f40936f06829fc54c0e051a93967c26e5f5d27d99"
    "d886b57b4ffcc3c475e930ec9e79c56ef1dbb7d86ca5ee83a9d2ccf36e5c240c@134.209.138.84:30303",
    "enode://60203fcb3524e07c5df60a14ae1c9c5b24023ea5d47463dfae051d2c9f3219f3"
    "09657537576090ca0ae641f73d419f53d8e8000d7a464319d4784acd7d2abc41@209.38.124.160:30303",
    "enode://8ae4a48101b2299597341263da0deb47cc38aa4d3ef4b7430b897d49bfa10eb1"
    "ccfe1655679b1ed46928ef177fbf21b86837bd724400196c508427a6f41602cd@134.199.184.23:30303"};

constexpr std::array<Network, 3> kNetworks{{
    {.name = "mainnet",
     .chain_id = 1,
     .genesis_hash_text = "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
     .genesis_time = 0,
     .fork_blocks = kMainnetBlocks,
     .fork_times = kMainnetTimes,
     .boot_nodes = kMainnetBootNodes,
     .dns_tree = "enrtree://AKA3AM6LPBYEUDMVNU3BSVQJ5AD45Y7YPOHJLEF6W26QOE4VTUDPE@"
                 "all.mainnet.ethdisco.net"},
    {.name = "sepolia",
     .chain_id = 11'155'111,
     .genesis_hash_text = "0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9",
     .genesis_time = 1'633'267'481,
     .fork_blocks = kSepoliaBlocks,
     .fork_times = kSepoliaTimes,
     .boot_nodes = kSepoliaBootNodes,
     .dns_tree = "enrtree://AKA3AM6LPBYEUDMVNU3BSVQJ5AD45Y7YPOHJLEF6W26QOE4VTUDPE@"
                 "all.sepolia.ethdisco.net"},
    {.name = "hoodi",
     .chain_id = 560'048,
     .genesis_hash_text = "0xbbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b",
     .genesis_time = 1'742'212'800,
     .fork_blocks = {},
     .fork_times = kHoodiTimes,
     .boot_nodes = kHoodiBootNodes,
     .dns_tree = "enrtree://AKA3AM6LPBYEUDMVNU3BSVQJ5AD45Y7YPOHJLEF6W26QOE4VTUDPE@"
                 "all.hoodi.ethdisco.net"},
}};

}  // namespace

Hash32 Network::genesis_hash() const { return parse_bytes32<Hash32Tag>(genesis_hash_text).value(); }

ForkSchedule Network::fork_schedule() const {
  return {genesis_hash(),
          genesis_time,
          {fork_blocks.begin(), fork_blocks.end()},
          {fork_times.begin(), fork_times.end()}};
}

std::span<const Network> networks() { return kNetworks; }

const Network* find_network(std::string_view name) {
  for (const Network& network : kNetworks) {
    if (network.name == name) return &network;
  }
  return nullptr;
}

}  // namespace ethnet
