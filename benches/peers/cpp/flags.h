// The flags after a program's first argument, and the files that they name.

#pragma once

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

class Flags {
public:
    Flags(int argc, char** argv) : words_(argv + std::min(argc, 2), argv + argc) {}

    bool Has(const std::string& flag) const { return std::find(words_.begin(), words_.end(), flag) != words_.end(); }

    // The content of the file that follows the flag; empty without the flag.
    std::string Read(const std::string& flag) const {
        auto found = std::find(words_.begin(), words_.end(), flag);
        if (found == words_.end()) {
            return "";
        }
        std::ifstream file(++found == words_.end() ? "" : *found);
        std::stringstream content;
        if (!file || !(content << file.rdbuf())) {
            std::cerr << "cannot read the file of " << flag << "\n";
            std::exit(2);
        }
        return content.str();
    }

private:
    std::vector<std::string> words_;
};
