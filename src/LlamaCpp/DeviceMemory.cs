using Herd.LlamaCpp.Native;

namespace Herd.LlamaCpp;

/// <summary>The memory of the GPUs that llama.cpp sees.</summary>
internal static class DeviceMemory
{
    private const int Gpu = 1;

    /// <returns>The free bytes of all GPUs together; null if there is none.</returns>
    public static long? Free()
    {
        long? sum = null;
        for (nuint i = 0; i < Llama.DeviceCount(); i++)
        {
            var device = Llama.Device(i);
            if (Llama.DeviceType(device) == Gpu)
            {
                Llama.DeviceMemory(device, out var free, out _);
                sum = (sum ?? 0) + (long)free;
            }
        }

        return sum;
    }
}
