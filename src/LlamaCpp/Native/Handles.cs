using Microsoft.Win32.SafeHandles;

namespace Herd.LlamaCpp.Native;

/// <summary>llama_model*</summary>
internal sealed class ModelHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        Llama.ModelFree(handle);
        return true;
    }
}

/// <summary>llama_context*</summary>
internal sealed class ContextHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        Llama.Free(handle);
        return true;
    }
}

/// <summary>ggml_threadpool*</summary>
internal sealed unsafe class ThreadPoolHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly delegate* unmanaged[Cdecl]<nint, void> _free;

    /// <param name="threads">Threads that compute, the caller's among them.</param>
    public ThreadPoolHandle(int threads)
        : base(ownsHandle: true)
    {
        var cpu = Llama.BackendByName("CPU");
        var create = (delegate* unmanaged[Cdecl]<ThreadPoolParams*, nint>)Llama.BackendFunction(
            cpu, "ggml_threadpool_new");
        _free = (delegate* unmanaged[Cdecl]<nint, void>)Llama.BackendFunction(cpu, "ggml_threadpool_free");

        // Threads sleep between steps: spinning would take processor time from other nodes of the machine.
        ThreadPoolParams options;
        Llama.ThreadPoolParamsInit(&options, threads);
        options.Poll = 0;
        SetHandle(create(&options));
    }

    protected override bool ReleaseHandle()
    {
        _free(handle);
        return true;
    }
}
