// Stands in for python3 in setup.test.ts: it has no PyTorch, and its pip notes the packages it was asked for in
// $HOME/asked and writes what their wheels would hold.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const torchMetadata = `Name: torch
Requires-Dist: filelock
Requires-Dist: cuda-toolkit[cublas,cudart,nvrtc]==13.2.2; platform_system == "Linux"
Requires-Dist: nvidia-nccl-cu13==2.30.7; platform_system == "Linux"
Requires-Dist: triton~=3.9.0; platform_system == "Linux"
`;

const linux =
  "(sys_platform == 'linux' and platform_machine == 'aarch64' or sys_platform == 'linux' and platform_machine == 'x86_64')";
const toolkitMetadata = `Name: cuda-toolkit
Requires-Dist: nvidia-cublas==13.4.*; ${linux} and extra == 'all'
Requires-Dist: nvidia-cublas==13.4.*; ${linux} and extra == 'cublas'
Requires-Dist: nvidia-nvjitlink<14,>=13.2; ${linux} and extra == 'cublas'
Requires-Dist: nvidia-cuda-runtime==13.2.*; ${linux} and extra == 'cudart'
Requires-Dist: nvidia-cuda-nvrtc==13.2.86.*; ${linux} and extra == 'nvrtc'
Requires-Dist: nvidia-npp==13.1.*; ${linux} and extra == 'npp'
Requires-Dist: nvidia-cudla==13.2.*; sys_platform == 'win32' and extra == 'cublas'
`;

const version = { MAJOR: 2, MINOR: 15, PATCH: 0 };
const wheels = {
  torch: {
    'torch/lib/libtorch_cpu.so': '',
    'torch/lib/libtorch_cuda.so': '',
    'torch/lib/libtorch_python.so': '',
    'torch/share/cmake/x': '',
    'torch/include/torch/headeronly/version.h': Object.entries(version)
      .map(([part, number]) => `#define TORCH_VERSION_${part} ${number}\n`)
      .join(''),
    'torch-2.15.0.dist-info/METADATA': torchMetadata,
  },
  'cuda-toolkit': { 'cuda_toolkit-13.2.2.dist-info/METADATA': toolkitMetadata },
  nvidia: { 'nvidia/cu13/lib/libcudart.so.13': '' },
};

const args = process.argv.slice(2);
if (args[2] === 'install') {
  const packages = args.filter((arg) => /^[a-z0-9-]+(==|<)/.test(arg));
  appendFileSync(join(process.env.HOME, 'asked'), `${packages.join(' ')}\n`);
  const wheel = wheels[packages[0].split('==')[0]] ?? wheels.nvidia;
  for (const [path, text] of Object.entries(wheel)) {
    const file = join(args[args.indexOf('--target') + 1], path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
