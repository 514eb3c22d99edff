using System.Runtime.InteropServices;

namespace Herd.Inference.Runtime;

/// <summary>
/// A block of unmanaged memory for the state of a sequence, which may exceed the maximum size of an array. It is a safe
/// handle with a reference count: <see cref="SafeHandle.DangerousAddRef"/> keeps it alive after its owner disposed it.
/// </summary>
public sealed unsafe class StateBuffer : SafeHandle
{
    private const int MaxSpan = 1 << 30;

    /// <param name="length">Length in bytes, 0 or more.</param>
    public StateBuffer(long length)
        : base(0, ownsHandle: true)
    {
        Length = length;
        SetHandle((nint)NativeMemory.Alloc((nuint)Math.Max(length, 1)));
    }

    public long Length { get; }

    public override bool IsInvalid => handle == 0;

    public byte* Address => IsInvalid ? throw new ObjectDisposedException(nameof(StateBuffer)) : (byte*)handle;

    /// <summary>The bytes from an offset on, at most 1 GiB of them.</summary>
    public Span<byte> From(long offset) => new(Address + offset, (int)Math.Min(Length - offset, MaxSpan));

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        SetHandle(0);
        return true;
    }
}
