// SPDX-License-Identifier: MIT
// A plugin of qemu-user: counts the instructions that a program executes, on all its threads, and
// prints the sum on stderr at its end. arm_cost.py builds it and runs programs with it.
//
// Debian's QEMU brings no header: declared is what is used of its plugin interface, version 1
// (include/qemu/qemu-plugin.h in QEMU's sources).
#include <atomic>
#include <cstdint>
#include <cstdio>

extern "C" {
struct qemu_plugin_tb;
using qemu_plugin_id_t = uint64_t;
using TranslatedCallback = void (*)(qemu_plugin_id_t id, qemu_plugin_tb* block);
using ExecutedCallback = void (*)(unsigned int cpu, void* data);
using EndCallback = void (*)(qemu_plugin_id_t id, void* data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, TranslatedCallback callback);
// `flags`: 0 where the callback reads no registers.
void qemu_plugin_register_vcpu_tb_exec_cb(qemu_plugin_tb* block, ExecutedCallback callback,
                                          int flags, void* data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, EndCallback callback, void* data);
size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* block);
}

#define TALKFACE_PLUGIN_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

std::atomic<uint64_t> executed{0};

void Count(unsigned int, void* data) {
  executed.fetch_add(reinterpret_cast<uintptr_t>(data), std::memory_order_relaxed);
}

// A block is run from its first instruction to its last, unless one of them faults.
void Translated(qemu_plugin_id_t, qemu_plugin_tb* block) {
  qemu_plugin_register_vcpu_tb_exec_cb(block, Count, 0,
                                       reinterpret_cast<void*>(qemu_plugin_tb_n_insns(block)));
}

void Print(qemu_plugin_id_t, void*) {
  std::fprintf(stderr, "instructions: %llu\n", static_cast<unsigned long long>(executed.load()));
}

}  // namespace

TALKFACE_PLUGIN_EXPORT const int qemu_plugin_version = 1;

TALKFACE_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void*, int, char**) {
  qemu_plugin_register_vcpu_tb_trans_cb(id, Translated);
  qemu_plugin_register_atexit_cb(id, Print, nullptr);
  return 0;
}
