using System.Runtime.InteropServices;

namespace Herd.Inference.Runtime;

/// <summary>
/// A block of unmanaged memory for the state of a sequence, which may be larger than an array can be. As a safe handle it
/// counts who uses it: <see cref="SafeHandle.DangerousAddRef"/> keeps it alive past its owner's Dispose.
/// </summary>
public sealed unsafe class StateBuffer : SafeHandle
{
    private const int MostInSpan = 1 << 30;

    /// <param name="length">Bytes, 0 or more.</param>
    public StateBuffer(long length)
        : base(0, ownsHandle: true)
    {
        Length = length;
        SetHandle((nint)NativeMemory.Alloc((nuint)Math.Max(length, 1)));
    }

    public long Length { get; }

    public override bool IsInvalid => handle == 0;

    public byte* Address => IsInvalid ? throw new ObjectDisposedException(nameof(StateBuffer)) : (byte*)handle;

    /// <summary>The bytes from an offset on, at most a gigabyte of them.</summary>
    public Span<byte> From(long offset) => new(Address + offset, (int)Math.Min(Length - offset, MostInSpan));

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        SetHandle(0);
        return true;
    }
}
