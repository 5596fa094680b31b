// SPDX-License-Identifier: MIT
// Preloaded into programs that are built with ThreadSanitizer. GLib is not, and its locks are its
// own, made of futexes: the sanitizer would not see that they order anything, and report every
// field that an object lock guards. These wrappers call GLib and tell the sanitizer. In a program
// without the sanitizer they only call GLib.
#include <dlfcn.h>
#include <glib-object.h>
#include <gst/gst.h>

extern "C" {
__attribute__((weak)) void __tsan_acquire(void* address);
__attribute__((weak)) void __tsan_release(void* address);
}

namespace {

void Acquire(void* address) {
  if (__tsan_acquire != nullptr) __tsan_acquire(address);
}

void Release(void* address) {
  if (__tsan_release != nullptr) __tsan_release(address);
}

}  // namespace

// Declares `real`, the function of that name in GLib.
#define REAL(name) \
  static const auto real = reinterpret_cast<decltype(&name)>(dlsym(RTLD_NEXT, #name))

#define EXPORT extern "C" __attribute__((visibility("default")))

#define WRAP_LOCK(name, Type)    \
  EXPORT void name(Type* lock) { \
    REAL(name);                  \
    real(lock);                  \
    Acquire(lock);               \
  }
#define WRAP_TRYLOCK(name, Type)       \
  EXPORT gboolean name(Type* lock) {   \
    REAL(name);                        \
    const gboolean taken = real(lock); \
    if (taken) Acquire(lock);          \
    return taken;                      \
  }
#define WRAP_UNLOCK(name, Type)  \
  EXPORT void name(Type* lock) { \
    REAL(name);                  \
    Release(lock);               \
    real(lock);                  \
  }

WRAP_LOCK(g_mutex_lock, GMutex)
WRAP_TRYLOCK(g_mutex_trylock, GMutex)
WRAP_UNLOCK(g_mutex_unlock, GMutex)
WRAP_LOCK(g_rec_mutex_lock, GRecMutex)
WRAP_TRYLOCK(g_rec_mutex_trylock, GRecMutex)
WRAP_UNLOCK(g_rec_mutex_unlock, GRecMutex)

// While a thread waits the mutex is free.
EXPORT void g_cond_wait(GCond* cond, GMutex* mutex) {
  REAL(g_cond_wait);
  Release(mutex);
  real(cond, mutex);
  Acquire(mutex);
}

EXPORT gboolean g_cond_wait_until(GCond* cond, GMutex* mutex, gint64 end_time) {
  REAL(g_cond_wait_until);
  Release(mutex);
  const gboolean signalled = real(cond, mutex, end_time);
  Acquire(mutex);
  return signalled;
}

// What threads did with an object comes before its end in the thread that gives the last reference
// back.
EXPORT void g_object_unref(gpointer object) {
  REAL(g_object_unref);
  Release(object);
  if (g_atomic_int_get(&static_cast<GObject*>(object)->ref_count) == 1) Acquire(object);
  real(object);
}

EXPORT void gst_mini_object_unref(GstMiniObject* object) {
  REAL(gst_mini_object_unref);
  Release(object);
  if (g_atomic_int_get(&object->refcount) == 1) Acquire(object);
  real(object);
}

// It returns the same object where nobody else has a reference any more.
EXPORT GstMiniObject* gst_mini_object_make_writable(GstMiniObject* object) {
  REAL(gst_mini_object_make_writable);
  GstMiniObject* writable = real(object);
  if (writable == object) Acquire(object);
  return writable;
}

// What a thread hands over in a queue was written before another thread takes it out.
EXPORT void g_async_queue_push(GAsyncQueue* queue, gpointer data) {
  REAL(g_async_queue_push);
  Release(queue);
  real(queue, data);
}

EXPORT gpointer g_async_queue_try_pop(GAsyncQueue* queue) {
  REAL(g_async_queue_try_pop);
  gpointer data = real(queue);
  Acquire(queue);
  return data;
}

EXPORT gpointer g_async_queue_timeout_pop(GAsyncQueue* queue, guint64 timeout) {
  REAL(g_async_queue_timeout_pop);
  gpointer data = real(queue, timeout);
  Acquire(queue);
  return data;
}

namespace {

// A call for another thread, which GStreamer hands over in a pool of GLib's.
struct AsyncCall {
  GstElementCallAsyncFunc function;
  gpointer data;
  GDestroyNotify destroy;
};

void RunCall(GstElement* element, gpointer data) {
  Acquire(data);
  const auto* call = static_cast<AsyncCall*>(data);
  call->function(element, call->data);
}

void DestroyCall(gpointer data) {
  auto* call = static_cast<AsyncCall*>(data);
  if (call->destroy != nullptr) call->destroy(call->data);
  delete call;
}

}  // namespace

EXPORT void gst_element_call_async(GstElement* element, GstElementCallAsyncFunc function,
                                   gpointer data, GDestroyNotify destroy) {
  REAL(gst_element_call_async);
  auto* call = new AsyncCall{function, data, destroy};
  Release(call);
  real(element, RunCall, call, DestroyCall);
}
