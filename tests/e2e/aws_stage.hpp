#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "demo/pebble.hpp"
#include "end_to_end.hpp"
#include "runtime/process.hpp"

namespace certherd::e2e {

struct HostedZone {
  std::string name;
  bool is_private = false;
  std::string comment = {};  ///< may say how it is delegated: see tests/aws/zone_server.py
};

struct RecordSet {
  std::string zone_id;
  std::string name;
  std::string type;
  std::vector<std::string> values;  ///< as Route 53 writes them: those of TXT are quoted
};

/// TXT values by name, as Route 53 writes them: quoted.
using Texts = std::map<std::string, std::set<std::string>>;

/// The same with an AWS (moto) and a Pebble around it, which asks the name servers of moto's
/// hosted zones. What stands in AWS is prepared and read by boto3.
class OnAwsStage : public EndToEnd {
 protected:
  struct Options {
    double requests_per_second = 100;  ///< of Route 53; moto has no limit
    std::map<std::string, std::string> pebble = {{"PEBBLE_VA_NOSLEEP", "1"}};
  };

  /// Starts both. The program's environment leads it to this AWS and to no other.
  void start_aws(Options options);
  /// The same, and makes a folder with config, seal key and store.
  void set_aws_stage(Options options);
  void set_aws_stage() { set_aws_stage(Options()); }
  void TearDown() override;

  /// Their ids, in the same order.
  std::vector<std::string> make_zones(const std::vector<HostedZone>& zones);
  void put(const std::vector<RecordSet>& sets);
  /// All TXT values of all zones.
  Texts texts();
  /// What the secrets below "tls/" hold, by domain: see tests/aws/aws_check.py.
  boost::json::object secrets();
  /// The certificates in Certificate Manager, by ARN: see tests/aws/aws_check.py.
  boost::json::object imported();

  const demo::PebbleServer& pebble() const { return *pebble_; }
  const std::string& dns_server() const { return dns_server_; }

 private:
  boost::json::value check(const std::string& command, const boost::json::value& input);
  std::string config(const Options& options) const;

  std::unique_ptr<runtime::Child> aws_;
  std::unique_ptr<demo::PebbleServer> pebble_;
  std::string aws_url_;
  std::string dns_server_;  ///< address:port
};

}  // namespace certherd::e2e
