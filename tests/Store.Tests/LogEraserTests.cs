namespace Herd.Store.Tests;

public sealed class LogEraserTests : IDisposable
{
    /// <summary>Files of 64 KiB.</summary>
    private const int SegmentBits = 16;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-log-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(4095, 0)]
    [InlineData(4096, 4096)]
    [InlineData(10_000, 8192)]
    [InlineData(65_536, 65_536)]
    [InlineData(100_000, 98_304)]
    public void Look_LogBeginsThere_ErasesTheBlocksBefore(long begin, int erased)
    {
        File.WriteAllBytes(Segment(0), Written(65_536));
        File.WriteAllBytes(Segment(1), Written(50_000));
        var eraser = new LogEraser(_folder.FullName, SegmentBits, () => begin);

        eraser.Look();

        byte[] expected = [.. new byte[erased], .. Written(65_536 + 50_000 - erased)];
        byte[] found = [.. File.ReadAllBytes(Segment(0)), .. File.ReadAllBytes(Segment(1))];
        Assert.Equal(expected, found);
    }

    /// <summary>A file that Garnet has removed, and one that is shorter than the log says.</summary>
    [Fact]
    public void Look_FileIsGoneOrShort_GoesOn()
    {
        File.WriteAllBytes(Segment(1), Written(5000));
        var begin = 70_000L;
        var eraser = new LogEraser(_folder.FullName, SegmentBits, () => begin);

        eraser.Look();
        begin = 100_000;
        eraser.Look();

        Assert.Equal(new byte[5000], File.ReadAllBytes(Segment(1)));
        Assert.False(File.Exists(Segment(0)));
    }

    private string Segment(int number) => Path.Combine(_folder.FullName, $"aof.log.{number}");

    private static byte[] Written(int length) => [.. Enumerable.Repeat((byte)1, length)];
}
