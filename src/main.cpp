#include "cli/command_line.hpp"

int main(int argc, char** argv) { return certherd::cli::run(argc, argv); }
