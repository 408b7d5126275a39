#pragma once

#include <array>
#include <string_view>

namespace certherd::fuzz {

// acme.cpp
void acme_exchange(std::string_view input);
void acme_problem(std::string_view input);
void acme_resource(std::string_view input);
// app.cpp
void config_file(std::string_view input);
void domain_filter(std::string_view input);
void inventory(std::string_view input);
void lists(std::string_view input);
// aws.cpp
void acm(std::string_view input);
void aws_credentials(std::string_view input);
void aws_failure(std::string_view input);
void aws_shared_file(std::string_view input);
void secrets_manager(std::string_view input);
// crypto.cpp
void certificate(std::string_view input);
void chain(std::string_view input);
void csr(std::string_view input);
void encoding(std::string_view input);
void jws(std::string_view input);
void private_key(std::string_view input);
// deploy.cpp
void exec_answer(std::string_view input);
void fastly(std::string_view input);
void kubeconfig(std::string_view input);
void kubernetes(std::string_view input);
// dns.cpp
void dns_query(std::string_view input);
void dns_reply(std::string_view input);
void route53(std::string_view input);
// http.cpp
void http_answer(std::string_view input);
void http_headers(std::string_view input);
// probe.cpp
void tls_peer(std::string_view input);

/// A fuzzer. Its name is also that of its folder in corpus/, and of its dictionary where it has
/// one.
struct Target {
  std::string_view name;
  void (*run)(std::string_view input);
};

constexpr std::array targets = {
    Target{"acm", &acm},
    Target{"acme_exchange", &acme_exchange},
    Target{"acme_problem", &acme_problem},
    Target{"acme_resource", &acme_resource},
    Target{"aws_credentials", &aws_credentials},
    Target{"aws_failure", &aws_failure},
    Target{"aws_shared_file", &aws_shared_file},
    Target{"certificate", &certificate},
    Target{"chain", &chain},
    Target{"config_file", &config_file},
    Target{"csr", &csr},
    Target{"dns_query", &dns_query},
    Target{"dns_reply", &dns_reply},
    Target{"domain_filter", &domain_filter},
    Target{"encoding", &encoding},
    Target{"exec_answer", &exec_answer},
    Target{"fastly", &fastly},
    Target{"http_answer", &http_answer},
    Target{"http_headers", &http_headers},
    Target{"inventory", &inventory},
    Target{"jws", &jws},
    Target{"kubeconfig", &kubeconfig},
    Target{"kubernetes", &kubernetes},
    Target{"lists", &lists},
    Target{"private_key", &private_key},
    Target{"route53", &route53},
    Target{"secrets_manager", &secrets_manager},
    Target{"tls_peer", &tls_peer},
};

}  // namespace certherd::fuzz
