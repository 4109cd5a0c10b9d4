// The ops' own CUDA files for tensors on the CPU: torch's functions for CUDA are replaced by those
// for the CPU, or by nothing, and kernels run as fibers.
#define aoti_torch_cuda_mm_out aoti_torch_cpu_mm_out
#define aoti_torch_cuda_addmm_out aoti_torch_cpu_addmm_out
#define aoti_torch_get_current_cuda_stream get_no_stream
#define aoti_torch_create_device_guard create_no_guard
#define aoti_torch_delete_device_guard delete_no_guard

#include "../../../csrc/cuda/classification_statistics.cu"
#include "../../../csrc/cuda/launching.cuh"
#include "../../../csrc/cuda/launching_columns.cuh"
#include "../../../csrc/cuda/linear_classification_statistics.cu"
#include "../../../csrc/cuda/multilabel_statistics.cu"
#include "../../../csrc/cuda/regression_statistics.cu"
#include "on_cpu.h"

AOTITorchError get_no_stream(int32_t, void**) { return AOTI_TORCH_SUCCESS; }
AOTITorchError create_no_guard(int32_t, DeviceGuardHandle*) { return AOTI_TORCH_SUCCESS; }
AOTITorchError delete_no_guard(DeviceGuardHandle) { return AOTI_TORCH_SUCCESS; }

namespace {

template <class Job>
void launch(const Job& job) {
  on_cpu::forget_memory();
  on_cpu::allow_reads(nullptr, UINTPTR_MAX);  // where tensors end, only those know who made them
  ftcore::launch_job(job, on_cpu::Launch{});
}

}  // namespace

void ftcore::launch_on(void*, const Job& job) { launch(job); }
void ftcore::launch_on(void*, const RegressionJob& job) { launch(job); }
void ftcore::launch_on(void*, const MultilabelJob& job) { launch(job); }
