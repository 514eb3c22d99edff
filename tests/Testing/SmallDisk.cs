namespace Herd.Testing;

/// <summary>A disk of a given size that can be filled. Mounting it takes root.</summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-disk-");

    private SmallDisk()
    {
    }

    public string Path => _folder.FullName;

    private string Filler => System.IO.Path.Combine(Path, "filler");

    /// <param name="size">Its size as mount takes it, such as 96m.</param>
    public static async Task<SmallDisk> Mount(string size)
    {
        var disk = new SmallDisk();
        await Tool.Run("/", "mount", "-t", "tmpfs", "-o", $"size={size}", "none", disk.Path);
        return disk;
    }

    /// <summary>Leaves no byte free.</summary>
    public void Fill()
    {
        using var file = File.Create(Filler);
        try
        {
            while (true)
            {
                file.Write(new byte[4096]);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // The disk is full.
        }
    }

    /// <summary>Frees what <see cref="Fill"/> took.</summary>
    public void Empty() => File.Delete(Filler);

    public async ValueTask DisposeAsync()
    {
        await Tool.Run("/", "umount", Path);
        _folder.Delete();
    }
}
